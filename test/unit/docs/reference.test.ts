import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { SECRET_KEYS } from "../../../config/schema";
import { allRows, jsonSchemas, referencePage } from "../../../docs/reference/page";

it("docs/reference.md is what the schema says (npm run docs writes it anew)", async () => {
  await expect(referencePage()).toMatchFileSnapshot(join(projectRoot(), "docs", "reference.md"));
});

it.each(Object.keys(jsonSchemas()))("docs/schemas/%s is what the schema says", async (file) => {
  const path = join(projectRoot(), "docs", "schemas", file);
  await expect(jsonSchemas()[file]).toMatchFileSnapshot(path);
});

const rows = allRows();
const row = (path: string) => rows.filter((one) => one.path === path);

it.each([
  ["policy.maxAge", "duration (`90d`, `24h`, `30m`, `45s`)", "`90d`", "The age no secret may pass."],
  ["secrets[].database.port", "whole number from 1 to 65535", "`5432`", ""],
  ["hosts.NAME.port", "whole number from 1 to 65535", "`22`", ""],
  ["notify.email.encryption", "`starttls`, `tls`", "`starttls`", "`starttls` (default) insists on it"],
  [
    "store.mount",
    "words of letters, digits, -, _ or . joined by /, without one at the end",
    "`secret`",
    "The KV v2 mount.",
  ],
  ["store.region", "region, such as us-east-1", undefined, "The region of the secrets"],
  ["environment", "lower-case word, such as paper or prod", undefined, "Names the environment"],
  ["lab.clock", "time such as 2026-11-23T02:00:00Z", "", ""],
])("%s has its type, default and words", (path, type, standard, doc) => {
  expect(row(path).length).toBeGreaterThan(0);
  for (const one of row(path)) {
    expect(one).toMatchObject({ type, standard });
    expect(one.doc).toContain(doc);
  }
});

it("a key of one option says which, and one of all says nothing", () => {
  expect(row("store.region")[0]?.only).toEqual(["`kind: aws`"]);
  expect(row("store.kind").flatMap(({ only }) => only)).toEqual(["`kind: vault`", "`kind: aws`"]);
  expect(row("secrets[].usernamePath")[0]?.only).toEqual(["`strategy: single-user | alternating-users`"]);
  expect(row("secrets[].database.port")[0]?.only).toEqual(["`kind: postgres-password`"]);
  expect(row("notify.email.port")[0]?.only).toEqual([]);
});

it("exactly the marked keys are secret, each below one that holds secrets", () => {
  const secret = rows.filter((one) => one.secret).map(({ path }) => path);
  expect(secret).toEqual(
    expect.arrayContaining(["sshPrivateKey", "adopted", "notify.slackWebhook", "alpacaKeys.NAME.current.secretKey"]),
  );
  for (const path of secret) expect(SECRET_KEYS).toContain(path.split(".")[0]);
});

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Issuer, startIssuer } from "../kinds/custom/support";

let issuer: Issuer;
let folder: string;

beforeAll(async () => {
  issuer = await startIssuer("issuer-token");
  folder = await mkdtemp(join(tmpdir(), "kinds-"));
});
afterAll(async () => {
  await issuer.stop();
  await rm(folder, { recursive: true });
});

const rotation = (args: readonly string[], env: Record<string, string> = {}) =>
  execa(process.execPath, ["dist/cli/rotation.mjs", "kinds", ...args], { env, reject: false });

it("init makes a kind whose test passes; a broken promise is exit code 1", async () => {
  const kind = join(folder, "my-kind");
  const made = await rotation(["init", kind]);
  expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${kind} has three commands`) });
  const env = { ISSUER_URL: issuer.url, ISSUER_TOKEN: "issuer-token" };
  const fine = await rotation(["test", kind], env);
  expect(fine.stdout).toMatch(/my-kind: (every promise is kept|no promise is broken, 1 not seen)\n/);
  expect(fine.exitCode).toBe(0);

  const verify = join(kind, "verify.mjs");
  await writeFile(verify, (await readFile(verify, "utf8")).replace("status === 401", "status === 499"));
  const declared = join(kind, "kind.json");
  await writeFile(declared, (await readFile(declared, "utf8")).replace('"wait": "30s"', '"wait": "1s"'));
  const broken = await rotation(["test", kind, "--json"], env);
  expect(broken.exitCode).toBe(1);
  const { ok, promises } = JSON.parse(broken.stdout);
  expect(ok).toBe(false);
  expect(promises).toContainEqual({
    promise: "ended",
    says: "after revoke, verify answers refused",
    verdict: "broken",
    evidence: "verify answers unknown: the issuer answered 401",
  });

  const again = await rotation(["init", kind]);
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("expected a new or an empty folder") });
});

it("a wrong kind.json is named key by key, before anything runs", async () => {
  const missing = await rotation(["test", folder]);
  expect(missing).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("kind.json, which names the commands"),
  });
  const kind = join(folder, "wrong");
  await cp("templates/custom-kind", kind, { recursive: true });
  const write = (text: string) => writeFile(join(kind, "kind.json"), text);
  await write("{");
  expect(await rotation(["test", kind])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("expected JSON in"),
  });
  const wrong = {
    ...{ protocol: 2, fields: ["a", "a"], commands: { issue: "x", verify: "" }, variables: ["a-b"], timeout: "1" },
    ...{ unreachable: {}, more: 1 },
  };
  await write(JSON.stringify(wrong));
  const { stderr, exitCode } = await rotation(["test", kind]);
  expect(exitCode).toBe(2);
  for (const line of [
    "protocol: expected 1, the version of the protocol",
    "fields: expected each name once",
    "commands.verify: ",
    "commands.revoke: ",
    "variables.0: expected the name of an environment variable",
    "timeout: expected a duration such as 90d, 24h, 30m or 45s",
    "unreachable: expected at least one variable",
    "kind.json: unknown key; expected one of protocol, fields, commands, variables, timeout, wait, unreachable",
  ])
    expect(stderr).toContain(`\n  ${line}`);
});

it("without a variable that the commands need, nothing runs", async () => {
  const { stderr, exitCode } = await rotation(["test", "templates/custom-kind"], { ISSUER_TOKEN: "" });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("expected the environment to have ISSUER_TOKEN");
  expect(await readdir("templates/custom-kind")).toContain("kind.json");
});

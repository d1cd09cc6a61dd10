import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { PreviousSecret } from "../../../components/previous-secrets";
import { type ApiKeyConfig, type Config, parseConfig } from "../../../config";
import type { SecretState } from "../../../core/state";
import { decideSecret } from "../../../kinds";
import { declareApiKey } from "../../../kinds/api-key/declare";
import { asPulumi, configWith } from "../config/example";
import { platformOf } from "./platform";
import { type Declared, declare, inputOf, order } from "./strict-mocks";

const NAME = "errors/api-key";
const key = (label: string, letter: string) => ({
  label,
  values: { id: "id-that-stays", secret: `secret-of-${letter.repeat(20)}` },
});
const [A, B] = [key("errors-2026-11-20", "A"), key("errors-2026-12-01", "B")];

const configOf = (keys: object, more: object = {}): Config =>
  parseConfig(
    asPulumi(
      configWith(
        [["adopted"], undefined],
        [["audit"], { host: "db.internal", name: "trader" }],
        [["apiKeys"], { [NAME]: keys }],
        [
          ["secrets"],
          [
            {
              ...{ kind: "api-key", name: NAME, fields: ["id", "secret"], restart: ["orchestrator"] },
              verify: { request: "GET https://errors.example.com/me", basicAuth: "{id}:{secret}" },
              ...more,
            },
          ],
        ],
      ),
    ),
    "paper",
  );

async function update(config: Config, day: number, before?: PreviousSecret) {
  let state: SecretState | undefined;
  let key: unknown;
  const all: Declared[] = await declare(() => {
    const { secrets, services, hosts } = config;
    const platform = platformOf({ secrets, services, hosts, privateKey: pulumi.secret("key"), allowOpenMarket: false });
    const secret = config.secrets[0] as ApiKeyConfig;
    const now = new Date(Date.parse("2026-11-23T02:00:00Z") + day * 86_400_000);
    const stack = { config, platform, now, before, recorded: undefined, isKnown: () => before !== undefined };
    const decision = decideSecret(config, secret, { finished: before?.state, recorded: undefined }, now, {});
    const made = declareApiKey(
      secret,
      stack,
      {},
    )(decision, { rolledOut: undefined, finished: undefined }).create("errors-api-key", {});
    return pulumi.all([made.state, made.description]).apply(([reached, said]) => {
      state = reached;
      key = said.key;
    });
  });
  return { all, known: { state: state as unknown as SecretState, key } };
}

describe("ApiKey", async () => {
  const adopted = await update(configOf({ current: A }), 0);
  const rotated = await update(configOf({ current: B, previous: A }), 8, adopted.known);

  it("declares exactly this for a rotation, in the order in which it happens", () => {
    expect(order(rotated.all).filter((name) => !name.endsWith("-history"))).toEqual([
      "errors-api-key-preflight-checks",
      "errors-api-key-versions-before",
      "errors-api-key-verify-key",
      "errors-api-key-store-write",
      "errors-api-key-restart-orchestrator",
      "errors-api-key-store-mark",
      "errors-api-key-audit-row",
    ]);
  });

  it("proves the new key with the config's request against the one in use", () => {
    expect(inputOf(rotated.all, "errors-api-key-verify-key")).toMatchObject({
      purpose: "rotation",
      key: B,
      before: A,
      activationWait: 30_000,
      supply: `rotation key add ${NAME}`,
      issuer: {
        requests: {
          verify: { method: "GET", url: "https://errors.example.com/me", basicAuth: "{id}:{secret}" },
        },
      },
    });
  });

  it("has no value of a key outside of stdin", () => {
    for (const { inputs } of [...adopted.all, ...rotated.all]) {
      const { stdin: _, ...rest } = inputs;
      expect(JSON.stringify(rest)).not.toMatch(/secret-of|id-that-stays/);
    }
    const row = JSON.stringify(inputOf(rotated.all, "errors-api-key-audit-row"));
    expect(row).toContain(B.label);
    expect(row).not.toMatch(/secret-of|id-that-stays/);
  });

  it("writes one document with names of the user's choice, if the config says so", async () => {
    const more = { format: "json", path: "errors/document", keys: { id: "DSN_ID", secret: "DSN_SECRET" } };
    const { all } = await update(configOf({ current: A }, more), 0);
    expect(inputOf(all, "errors-api-key-store-write")).toMatchObject({
      entries: [
        {
          path: "errors/document",
          fields: { DSN_ID: { value: A.values.id }, DSN_SECRET: { value: A.values.secret } },
        },
      ],
    });
  });

  it("refuses another key under the label in use, whichever field is another", async () => {
    for (const field of ["id", "secret"]) {
      const current = { ...B, values: { ...B.values, [field]: "another-value" } };
      await expect(update(configOf({ current, previous: A }), 9, rotated.known)).rejects.toThrow(
        `expected the key ${B.label} to be the one in use, found another key under its label. A new key needs a new ` +
          `label: \`rotation key add ${NAME}\`; nothing was changed.`,
      );
    }
  });
});

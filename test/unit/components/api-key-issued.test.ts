import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { Platform } from "../../../components/platform";
import type { PreviousSecret } from "../../../components/previous-secrets";
import { StackStore } from "../../../components/stack-store";
import { type Config, parseConfig } from "../../../config";
import type { SecretState } from "../../../core/state";
import { decideSecret, kindFor } from "../../../kinds";
import { asPulumi, configWith } from "../config/example";
import { type Declared, declare, inputOf, order } from "./strict-mocks";

const NAME = "search/key";
const IN_USE = { keyId: "id in use", secretKey: "secret in use", number: "7" };
const COMMON = {
  ...{ kind: "api-key", name: NAME, fields: ["keyId", "secretKey"], restart: ["orchestrator"] },
  verify: { request: "GET https://api.example.com/me", basicAuth: "{keyId}:{secretKey}" },
};
const ISSUED = {
  ...COMMON,
  variables: { token: "SEARCH_TOKEN" },
  issue: {
    ...{ request: "PUT https://api.example.com/keys/{id}", headers: { Authorization: "Bearer {token}" } },
    values: { keyId: "$.id", secretKey: "$.secret", number: "$.number" },
  },
  revoke: { request: "DELETE https://api.example.com/keys/{number}", headers: { Authorization: "Bearer {token}" } },
};

const configOf = (secret: object, more: { adopted?: object; apiKeys?: object }): Config =>
  parseConfig(
    asPulumi(
      configWith(
        [["audit"], { host: "db.internal", name: "trader" }],
        [["adopted"], more.adopted],
        [["apiKeys"], more.apiKeys],
        [["secrets"], [secret]],
      ),
    ),
    "paper",
  );
const issued = (secret: object = ISSUED) => configOf(secret, { adopted: { [NAME]: JSON.stringify(IN_USE) } });
const supplied = configOf(COMMON, {
  apiKeys: {
    [NAME]: { current: { label: "search-2026-11-20", values: { keyId: "id-in-use", secretKey: "secret-in-use" } } },
  },
});

async function update(config: Config, day: number, before?: PreviousSecret) {
  let known: PreviousSecret | undefined;
  const platform: Platform = {
    ...{ secrets: config.secrets, services: config.services, hosts: config.hosts, privateKey: pulumi.secret("key") },
    store: new StackStore({ kind: "vault", mount: "secret", environment: "paper" }),
    ...{ allowOpenMarket: false, notice: undefined, clock: undefined, planBasis: [], marketClock: undefined },
    audit: { connection: { host: "db" }, stack: "paper", environment: "paper" },
  };
  const [secret] = config.secrets;
  if (secret === undefined) throw new Error("the config has no secret");
  const now = new Date(Date.parse("2026-11-23T02:00:00Z") + day * 86_400_000);
  const stack = { config, platform, now, before, recorded: undefined, isKnown: () => before !== undefined };
  const decision = decideSecret(config, secret, { finished: before?.state, recorded: undefined }, now, {});
  const declared = await kindFor(secret).declare(secret, stack, {});
  const all: Declared[] = await declare(() => {
    const made = declared(decision, { rolledOut: undefined, finished: undefined }).create("search-key", {});
    return pulumi.all([made.state, made.description]).apply(([state, said]) => {
      known = { ...said, state: state as SecretState };
      return state;
    });
  });
  if (known === undefined) throw new Error("nothing was declared");
  return { all, known };
}

describe("IssuedApiKey", async () => {
  const adopted = await update(issued({ ...ISSUED, dryRun: { command: "paper-run", service: "orchestrator" } }), 0);

  it("makes a key before anything is written, and ends the one in use last", () => {
    expect(order(adopted.all).filter((name) => !/search-key_|history/.test(name))).toEqual([
      "search-key-preflight-checks",
      "search-key-key-1",
      "search-key-verify-key",
      "search-key-store-write",
      "search-key-restart-orchestrator",
      "search-key-dry-run",
      "search-key-end-0",
      "search-key-store-mark",
      "search-key-audit-row",
    ]);
    expect(inputOf(adopted.all, "search-key-key-1")).toMatchObject({ id: "paper/search/key/1", wanted: true });
  });

  it("has beside its fields what its end needs, for nothing else", () => {
    expect(inputOf(adopted.all, "search-key-end-0")).toMatchObject({ values: IN_USE, ends: false });
    for (const { name, inputs } of adopted.all) {
      if (name.startsWith("search-key-end-")) continue;
      expect(JSON.stringify(inputs)).not.toContain(`"number":"7"`);
    }
    expect(inputOf(adopted.all, "search-key-dry-run").secrets).toHaveLength(2);
  });

  it("has no credential of the operator in any step, only the name of its variable", () => {
    const { issuer } = inputOf(adopted.all, "search-key-key-1") as { issuer: { requests: object } };
    expect(issuer.requests).toMatchObject({
      variables: { token: "SEARCH_TOKEN" },
      revoke: { gone: { status: [404] } },
    });
  });

  it("is due by age, as a password is", async () => {
    const { known } = await update(issued(), 89, adopted.known);
    expect(known.state).toMatchObject({ slots: [2, 1], active: 0, byAge: true });
    expect(known).toMatchObject({ kind: "api-key", strategy: "issued-key" });
  });

  it("takes no slot of keys that the operator supplied, nor the other way round: it says how to go over", async () => {
    const { known } = await update(supplied, 0);
    const refusal = (was: string, is: string) =>
      `${NAME}: expected keys that ${was}, as so far, found keys that ${is}, which cannot be changed in place. Wait until`;
    const [you, issuer] = ["you supply", "its issuer makes at this pipeline's request"];
    await expect(update(issued(), 1, known)).rejects.toThrow(refusal(you, issuer));
    await expect(update(supplied, 1, adopted.known)).rejects.toThrow(refusal(issuer, you));
  });
});

import { describe, expect, it } from "vitest";
import { parseDuration } from "../../../core/duration";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { SecretState } from "../../../core/state";
import { CustomSecret } from "../../../kinds/custom/component";
import type { CustomConfig } from "../../../kinds/custom/schema";
import { displacedBy } from "../../../kinds/issued-key/declare";
import { platformOf, service } from "./platform";
import { type Declared, declare, inputOf, moved, namedIn, order } from "./strict-mocks";

const config: CustomConfig = {
  kind: "custom",
  name: "search/key",
  directory: "my-kind",
  fields: ["keyId", "secretKey"],
  commands: { issue: "node issue.mjs", verify: "node verify.mjs", revoke: "node revoke.mjs" },
  variables: ["ISSUER_TOKEN"],
  timeout: parseDuration("30s"),
  wait: parseDuration("10s"),
  restart: ["signal-service"],
};

const now = new Date("2026-11-23T02:00:00Z");
const later = new Date("2027-02-20T02:00:00Z");
const first = nextState(undefined, { now, policy, hasAdopted: true });
const second = nextState(first, { now: later, policy, hasAdopted: true });

const platform = platformOf({ services: { "signal-service": service() } });

const OLD = { keyId: "old id", secretKey: "old secret" };

const resources = (
  state: SecretState,
  { adopted = OLD as typeof OLD | null, displaced = [] as number[], changes = {} as Partial<CustomConfig> } = {},
): Promise<Declared[]> =>
  declare(() => {
    const args = {
      config: { ...config, ...changes },
      state,
      force: false,
      policy,
      platform,
      adopted: adopted ?? undefined,
      displaced,
    };
    return new CustomSecret("search-key", args).state;
  });

const valuesOf = (generation: number) => ({
  keyId: `id of search-key-key-${generation}`,
  secretKey: `secret of search-key-key-${generation}`,
});

describe("CustomSecret", () => {
  it("declares exactly this, in the order in which it happens", async () => {
    expect(order(await resources(second))).toEqual([
      "search-key-key-1",
      "search-key-preflight-checks",
      "search-key-key-2",
      "search-key-verify-key",
      "search-key-store-unchanged",
      "search-key-search-key_key_id",
      "search-key-search-key_secret_key",
      "search-key-restart-signal-service",
      "search-key-end-1",
      "search-key-search-key_key_id-metadata",
      "search-key-search-key_secret_key-metadata",
      "search-key-audit-history",
      "search-key-audit-row",
    ]);
  });

  it("issues with an id that a repetition has too, only for what comes into use, and logs nothing", async () => {
    const all = await resources(second);
    expect(inputOf(all, "search-key-key-2")).toMatchObject({ id: "paper/search/key/2", wanted: true });
    expect(inputOf(all, "search-key-key-1")).toMatchObject({ id: "paper/search/key/1", wanted: false });
    expect(namedIn(all, "search-key-key-2")).toMatchObject({ logging: "none", addPreviousOutputInEnv: false });
    expect(namedIn(all, "search-key-key-2")).not.toHaveProperty("triggers");
  });

  it("proves it with the identity of the one in use, and writes it", async () => {
    const all = await resources(second);
    expect(inputOf(all, "search-key-verify-key")).toMatchObject({
      purpose: "rotation",
      key: { label: "generation 2", values: valuesOf(2) },
      before: { label: "generation 1", values: valuesOf(1) },
      activationWait: 10_000,
    });
    expect(inputOf(all, "search-key-search-key_secret_key")).toMatchObject({
      entry: { path: "search/key_secret_key", value: valuesOf(2).secretKey },
    });
    expect(inputOf(all, "search-key-preflight-checks").current).toMatchObject({
      entries: [
        { path: "search/key_key_id", value: valuesOf(1).keyId },
        { path: "search/key_secret_key", value: valuesOf(1).secretKey },
      ],
    });
  });

  it("keeps the previous one until its grace period is over, then ends it alone", async () => {
    const all = await resources(second);
    expect(inputOf(all, "search-key-end-1")).toMatchObject({ values: valuesOf(1), ends: false });
    const revoked = await resources({ ...second, revoked: true });
    expect(inputOf(revoked, "search-key-end-1")).toMatchObject({ id: "paper/search/key/1", ends: true, wait: 10_000 });
    expect(moved(all, revoked).filter((name) => /-(key|end)-\d$|verify|restart/.test(name))).toEqual([
      "search-key-end-1",
    ]);
  });

  it("ends what leaves its slot before its grace period is over", async () => {
    const all = await resources(second, { displaced: [0] });
    expect(inputOf(all, "search-key-end-0")).toMatchObject({ values: OLD, ends: true });
    expect(inputOf(all, "search-key-end-1")).toMatchObject({ ends: false });
    expect(displacedBy(second, first)).toEqual([0]);
    expect(displacedBy(second, { ...first, revoked: true })).toEqual([]);
    expect(displacedBy(second, second)).toEqual([]);
    expect(displacedBy(first, undefined)).toEqual([]);
  });

  it("neither ends nor goes back to values in use that it does not know", async () => {
    const all = await resources(first, { adopted: null });
    expect(order(all).filter((name) => /-end-|-key-\d$/.test(name))).toEqual(["search-key-key-1"]);
    expect(inputOf(all, "search-key-verify-key")).not.toHaveProperty("before");
  });

  it("puts no value into a command line", async () => {
    for (const { inputs } of await resources(second, { displaced: [0] }))
      for (const key of ["create", "update", "triggers", "environment"])
        expect(JSON.stringify(inputs[key] ?? "")).not.toMatch(/(id|secret) of search|old/);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { actedFor } from "../../../cli/operate/run-failure";
import { describeSituation, isBegun, isTouched, type Situation } from "../../../cli/operate/situation";
import type { Config } from "../../../config";

const unseen = fc.record({ unseen: fc.constantFrom("no answer within 20 s", "connect ECONNREFUSED") });

const situations = fc
  .record({
    from: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
    action: fc.constantFrom("ADOPT", "ROTATE", "ROLLBACK"),
    step: fc.integer({ min: 1, max: 3 }),
    isBegun: fc.constantFrom("yes", "no", "unseen"),
    store: fc.oneof(fc.constantFrom("old", "new", "half a pair", "unknown value", "nothing", undefined), unseen),
    old: fc.oneof(fc.constantFrom("works", "refused"), unseen),
    fresh: fc.oneof(fc.constantFrom("works", "refused"), unseen),
    services: fc.array(
      fc.record({
        place: fc.constantFrom("signal-service on trading-1", "orchestrator"),
        restarted: fc.constantFrom("yes", "begun", "no"),
        health: fc.oneof(fc.constantFrom("healthy", "not healthy"), unseen),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    row: fc.oneof(fc.constantFrom("written", "missing"), unseen),
  })
  .map(({ from, action, step, isBegun: begins, store, old, fresh, services, row }): Situation => {
    const generation = (from ?? 0) + step;
    return {
      secret: "database/password",
      from,
      begun:
        begins === "unseen"
          ? { unseen: "the state cannot be read" }
          : begins === "no"
            ? null
            : ({ action, generation } as Situation["begun"]),
      store:
        store === "old" ? { generation: from ?? 0 } : store === "new" ? { generation } : (store as Situation["store"]),
      logins: [
        { generation: from ?? 0, name: "trader_b", of: "database", answer: old as "works" },
        { generation, name: "trader_a", of: "database", answer: fresh as "works" },
      ],
      services: services as Situation["services"],
      acted: [],
      row: begins === "no" ? undefined : (row as "written"),
    };
  });

/** A resource that the engine updates. */
const step = (name: string, type: string) => ({
  name,
  type,
  op: "update",
  oldInputs: {},
  newInputs: {},
  urn: `urn:pulumi:paper::secret-rotation::${type}::${name}`,
});

const BEGUN: Situation = {
  secret: "database/password",
  from: 8,
  begun: { action: "ROTATE", generation: 9 },
  store: { generation: 9 },
  logins: [
    { generation: 8, name: "trader_b", of: "database", answer: "works" },
    { generation: 9, name: "trader_a", of: "database", answer: "works" },
  ],
  services: [
    { place: "signal-service on trading-1", restarted: "yes", health: "healthy" },
    { place: "orchestrator on trading-1", restarted: "begun", health: "not healthy" },
    { place: "execution-gateway on trading-1", restarted: "no", health: "healthy" },
  ],
  acted: [],
  row: "missing",
};

describe("what holds after an update that did not finish", () => {
  it("says each thing that was looked at, and what follows", () => {
    expect(describeSituation(BEGUN)).toBe(
      "database/password: the rotation to generation 9 has begun and is not finished; generation 8 was in use before. " +
        "Store: generation 9. Logins: generation 8 (trader_b) works; generation 9 (trader_a) works. " +
        "signal-service on trading-1: restarted, healthy. orchestrator on trading-1: its restart did not finish, not healthy. " +
        "execution-gateway on trading-1: not restarted, healthy. Services that use generation 8 keep working.",
    );
  });

  it("names who cannot log in with one role for all", () => {
    const logins: Situation["logins"] = [
      { generation: 8, name: "trader", of: "database", answer: "refused" },
      { generation: 9, name: "trader", of: "database", answer: "works" },
    ];
    expect(describeSituation({ ...BEGUN, logins })).toContain(
      "New logins of orchestrator on trading-1, execution-gateway on trading-1 fail until restarted: finish or roll back now.",
    );
  });

  it("says when only the row is missing, and when nothing was begun", () => {
    const services = BEGUN.services.map(({ place }) => ({ place, restarted: "yes", health: "healthy" }) as const);
    expect(describeSituation({ ...BEGUN, services })).toContain(
      "Every service was restarted and is healthy; only its row in secret_rotation_log is missing.",
    );
    const nothing = describeSituation({ ...BEGUN, begun: null, store: { generation: 8 }, row: undefined });
    expect(nothing).toContain("database/password: nothing was changed; generation 8 is in use. Store: generation 8.");
    expect(nothing).not.toContain("restarted");
  });

  it("never says that nothing was changed once the engine was at a resource that no table knows", () => {
    const steps = [
      { ...step("database-password-note", "toy:index/note:Note"), op: "create" },
      { ...step("shared-note", "toy:index/note:Note"), op: "update" },
      { ...step("other-password-note", "toy:index/note:Note"), op: "create" },
      { ...step("database-password-slot-a-password", "random:index/randomPassword:RandomPassword"), op: "replace" },
      { ...step("database-password-read", "toy:index/note:Note"), op: "same" },
    ];
    const secrets = [{ name: "database/password" }, { name: "other/password" }] as Config["secrets"];
    const acted = actedFor("database/password", { secrets }, { steps });
    expect(acted).toEqual([
      { resource: "database-password-note (toy:index/note:Note)", known: false },
      { resource: "shared-note (toy:index/note:Note)", known: false },
    ]);
    const nothing = { ...BEGUN, begun: null, store: { generation: 8 }, row: undefined, acted };
    expect(describeSituation(nothing)).not.toContain("nothing was changed");
    expect(describeSituation(nothing)).toContain(
      "the update was at database-password-note (toy:index/note:Note), shared-note",
    );
    const untouched = { ...BEGUN, store: { generation: 8 }, logins: [], services: [] };
    expect(isTouched(untouched)).toBe(false);
    expect(isTouched({ ...untouched, acted })).toBe(true);
    expect(describeSituation({ ...untouched, acted })).toContain("has changed is unknown.");
  });

  it("names what an update that began no rotation was at", () => {
    const steps = [
      step("vault-connection-database-trader", "vault:database/secretBackendConnection:SecretBackendConnection"),
    ];
    const acted = actedFor(
      "database/password",
      { secrets: [{ name: "database/password" }] as Config["secrets"] },
      { steps },
    );
    expect(acted).toMatchObject([{ known: true }]);
    expect(describeSituation({ ...BEGUN, begun: null, acted })).toContain(
      "no rotation was begun, but the update was at vault-connection",
    );
    expect(isTouched({ ...BEGUN, services: [], row: undefined, logins: [], store: undefined, acted })).toBe(false);
  });

  it("a finished end of a grace period is told by its login", () => {
    const revoke: Situation = {
      ...BEGUN,
      begun: { action: "REVOKE", generation: 7 },
      store: { generation: 8 },
      logins: [{ generation: 7, name: "trader_a", of: "database", answer: "refused" }],
      services: [{ place: "orchestrator", restarted: "yes", health: "healthy" }],
    };
    expect(describeSituation(revoke)).toBe(
      "database/password: the end of generation 7 has begun and is not finished. Store: generation 8. " +
        "Logins: generation 7 (trader_a) is refused. orchestrator: healthy.",
    );
    expect(isTouched(revoke)).toBe(true);
  });

  it("never says that nothing was changed if something was begun or cannot be seen", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const text = describeSituation(situation);
        expect(text.includes("nothing was changed")).toBe(situation.begun === null);
        expect(isBegun(situation)).toBe(situation.begun !== null);
        if (situation.begun === null) expect(isTouched(situation)).toBe(false);
      }),
    );
  });

  it("what cannot be seen is said and counts as changed", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const text = describeSituation(situation);
        const { store, begun, services } = situation;
        if (typeof store === "object" && "unseen" in store) {
          expect(text).toContain(`Store: could not be read (${store.unseen})`);
          if (begun !== null) expect(isTouched(situation)).toBe(true);
        }
        for (const { health } of services)
          if (typeof health === "object") expect(text).toContain(`health could not be checked (${health.unseen})`);
        if (begun !== null && services.some(({ restarted }) => restarted !== "no"))
          expect(isTouched(situation)).toBe(true);
      }),
    );
  });
});

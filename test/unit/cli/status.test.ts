import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StackStatus } from "../../../cli/operate/read-status";
import { needsRotation, type SecretStatus, statusOf } from "../../../cli/operate/status";
import { renderStatus } from "../../../cli/render/status";
import { PREFLIGHT_TYPE } from "../../../core/begun";
import { standingByAge } from "../../../core/deadlines";
import { DEFAULT_POLICY } from "../../../core/policy";
import type { SecretState } from "../../../core/state";

const DAY = 86_400_000;
const START = Date.parse("2026-01-01T00:00:00Z");
const state = (rotatedAt: number): SecretState => ({
  slots: [2, 1],
  active: 0,
  rotatedAt: new Date(rotatedAt).toISOString(),
  filledAt: [new Date(rotatedAt).toISOString(), null],
  labels: [null, null],
  usedLabels: [],
  revoked: true,
  step: { sequence: 3, action: "ROTATE", generation: 2, reason: "", at: new Date(rotatedAt).toISOString() },
});
const after = (days: number) => standingByAge(state(START), DEFAULT_POLICY, new Date(START + days * DAY));

describe("standing", () => {
  it("ok, warning from day 85, alert from day 88, due from day 89, overdue past day 90", () => {
    const days = [0, 84.99, 85, 87.99, 88, 88.99, 89, 90, 90.01];
    const standings = ["ok", "ok", "warning", "warning", "alert", "alert", "due", "due", "overdue"];
    expect(days.map(after)).toEqual(standings);
  });

  it("only gets worse as time goes on", () => {
    const order = ["ok", "warning", "alert", "due", "overdue"];
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 300, noNaN: true }),
        fc.double({ min: 0, max: 300, noNaN: true }),
        (a, b) => {
          const [early, late] = [Math.min(a, b), Math.max(a, b)].map((days) => order.indexOf(after(days)));
          expect(late).toBeGreaterThanOrEqual(early ?? 0);
        },
      ),
    );
  });

  it("due, overdue, new, unfinished and failed ask for something to be done", () => {
    expect((["ok", "warning", "alert"] as const).some((standing) => needsRotation([{ standing }]))).toBe(false);
    expect(
      (["due", "overdue", "new", "unfinished", "failed"] as const).every((standing) => needsRotation([{ standing }])),
    ).toBe(true);
  });
});

describe("what the last action left", () => {
  const at = (days: number) => new Date(START + days * DAY);
  const password = { name: "database/password", kind: "postgres-password", strategy: "alternating-users" };
  const outline = {
    policy: DEFAULT_POLICY,
    store: { kind: "vault" },
    environment: "prod",
    secrets: [password],
  } as never;
  const row = (id: number, status: string, days: number) =>
    ({ id, secretName: "database/password", environment: "prod", status, rotationDate: at(days) }) as never;
  const begun = {
    ...state(START),
    slots: [2, 3],
    active: 1,
    step: { ...state(START).step, sequence: 4, generation: 3 },
  };
  const recorded = { type: PREFLIGHT_TYPE, outputs: { secret: "database/password", state: begun } };
  const one = (rows: never[], resources: object[] = [], own: SecretState | null = state(START)) =>
    statusOf(outline, own ? { "database/password": { state: own } } : {}, { rows, resources } as never, at(10))[0];

  it("failed: the last row says so, and nothing succeeded since", () => {
    expect(one([row(1, "SUCCESS", 0), row(2, "FAILED", 9)])).toMatchObject({ standing: "failed" });
    expect(one([row(1, "FAILED", -1)])).toMatchObject({ standing: "ok" });
    expect(one([row(1, "FAILED", 1), row(2, "SUCCESS", 2)])).toMatchObject({ standing: "ok" });
    expect(one([row(1, "FAILED", 0)], [], null)).toMatchObject({ standing: "new" });
  });

  it("unfinished: what was begun is not in the outputs", () => {
    const found = one([row(1, "FAILED", 9)], [recorded]);
    expect(found).toMatchObject({ standing: "unfinished", unfinished: { action: "ROTATE", generation: 3 } });
    expect(one([], [{ ...recorded, outputs: { secret: "database/password", state: state(START) } }])).toMatchObject({
      standing: "ok",
      unfinished: null,
    });
    expect(one([], [recorded], null)).toMatchObject({ standing: "unfinished", generation: null });
  });

  it("an adopted credential without a date has no age, and is due", () => {
    const rolledBack: SecretState = { ...state(START), slots: [0, 1], active: 0, activatedBy: "r" };
    const since = new Date(START).toISOString();
    expect(one([], [], rolledBack)).toMatchObject({
      standing: "due",
      ageDays: null,
      daysLeft: null,
      inUseBefore: since,
    });
    const byHand: SecretState = { ...state(START), slots: [3, 1], active: 0, adoptedGeneration: 3 };
    expect(one([], [], byHand)).toMatchObject({ standing: "due", ageDays: null, inUseBefore: since });
    const key: SecretState = { ...state(START), slots: [0, -1], active: 0, labels: ["paper-2026-01-01", null] };
    expect(one([], [], key)).toMatchObject({ standing: "ok", ageDays: 10, inUseBefore: null });
    expect(one([], [], { ...key, labels: ["paper", null] })).toMatchObject({ standing: "due", ageDays: null });
    const late = statusOf(outline, { "database/password": { state: byHand } }, { rows: [] }, at(91));
    expect(late).toMatchObject([{ standing: "overdue", ageDays: null }]);
  });
});

describe("what Vault makes", () => {
  const own = { ...state(START), slots: [2, -1] as const, labels: ["definition", null] as const };
  const of = (secret: object, more: object = {}) =>
    statusOf(
      { policy: DEFAULT_POLICY, store: { kind: "vault" }, environment: "prod", secrets: [secret] } as never,
      { "database/password": { state: { ...own, ...more } as never } },
      { rows: [] },
      new Date(START + 400 * DAY),
    );
  const common = { kind: "postgres-password", name: "database/password" };

  it("a lease is never due, however long ago it was set up, and says how long it lives", () => {
    const found = of({ ...common, strategy: "vault-dynamic", defaultTtl: 3_600_000, maxTtl: DAY });
    const lease = { defaultTtlSeconds: 3600, maxTtlSeconds: 86_400 };
    expect(found).toMatchObject([{ standing: "ok", dueAt: null, ageDays: null, daysLeft: null, generation: 2, lease }]);
    expect(needsRotation(found)).toBe(false);
  });

  it("a password that Vault rotates says when it did last, and when it will by itself", () => {
    const vaultRotation = new Date(START + 390 * DAY).toISOString();
    const [period] = of({ ...common, strategy: "vault-static", rotationPeriod: 30 * DAY }, { vaultRotation });
    const nextRotation = new Date(START + 420 * DAY).toISOString();
    expect(period?.vault).toEqual({ lastRotation: vaultRotation, nextRotation });
    const [schedule] = of({ ...common, strategy: "vault-static", rotationSchedule: "0 2 * * SAT" }, { vaultRotation });
    expect(schedule?.vault).toEqual({ lastRotation: vaultRotation, nextRotation: null });
  });
});

const name = fc.stringMatching(/^[a-z0-9_-]{1,70}\/[a-z0-9_-]{1,40}$/);
const secret = fc.record<SecretStatus>({
  name,
  kind: fc.constant("postgres-password"),
  strategy: fc.constantFrom("alternating-users", "single-user"),
  store: fc.constantFrom("vault", "aws"),
  standing: fc.constantFrom("ok", "warning", "alert", "due", "overdue", "unfinished", "failed"),
  generation: fc.nat(500),
  rotatedAt: fc.constant("2026-01-01T00:00:00.000Z"),
  ageDays: fc.double({ min: 0, max: 999, noNaN: true }).map((days) => Math.round(days * 10) / 10),
  inUseBefore: fc.constantFrom(null, "2026-01-01T00:00:00.000Z"),
  unfinished: fc.constantFrom(null, { action: "ROLLBACK", generation: 499, at: "2026-01-01T00:00:00.000Z" }),
  maxAgeDays: fc.constant(90),
  daysLeft: fc.integer({ min: -900, max: 90 }),
  dueAt: fc.constant("2026-03-31T00:00:00.000Z"),
  previous: fc.constant({ generation: 1, revoked: false, validUntil: "2026-01-02T00:00:00.000Z" }),
  lastRow: fc.record({
    action: fc.constant("ROTATE"),
    status: fc.constant("SUCCESS"),
    rotatedBy: fc.string({ maxLength: 60 }).map((text) => text.replace(/[^\x21-\x7e]/g, "x")),
    rotationDate: fc.constant("2026-01-01T00:00:00.000Z"),
    reason: fc.constant(null),
  }),
});

it("the table fits 80 columns, whatever the names", () => {
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 8 }), (secrets) => {
      const status: StackStatus = {
        stack: "prod",
        environment: "prod",
        now: "2026-03-01T00:00:00.000Z",
        secrets,
        logError: null,
      };
      for (const line of renderStatus(status).split("\n")) {
        expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(80);
      }
    }),
  );
});

describe("what is below the table", () => {
  const base = {
    name: "a/b",
    kind: "alpaca-key",
    strategy: "supplied-key",
    store: "vault",
    standing: "due",
    generation: 2,
    rotatedAt: null,
    ageDays: 89,
    maxAgeDays: 90,
    daysLeft: 1,
    dueAt: null,
    lastRow: null,
    inUseBefore: null,
    unfinished: null,
    previous: { generation: 1, revoked: false, validUntil: "2026-01-02T00:00:00.000Z" },
  } as SecretStatus;
  const supplied = { ...base, supply: "rotation alpaca add-key" };
  const shown = (now: string, secret = base) =>
    renderStatus({ stack: "prod", environment: "prod", now, secrets: [secret], logError: null }).replace(/\s+/g, " ");

  it("until when the credential before works, and that the next update ends it", () => {
    expect(shown("2026-01-01T00:00:00.000Z")).toContain("generation 1 stays usable until 2026-01-02 00:00");
    expect(shown("2026-01-02T00:00:00.000Z")).toContain(
      "has been due for revocation since 2026-01-02 00:00; the next update revokes it",
    );
    const revoked = { generation: 1, revoked: true, validUntil: "2026-01-02T00:00:00.000Z" };
    expect(shown("2026-01-03T00:00:00.000Z", { ...base, previous: revoked })).toContain("generation 1 is revoked");
  });

  it("who still uses the login before, or since when nobody does, if somebody watches it", () => {
    const seen = { user: "nightly from 10.0.0.7", firstSeen: "2026-01-01T00:10:00.000Z" };
    const used = (lastUse: string) => {
      const times = { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T06:00:00.000Z" };
      const watch = { ...times, unbrokenSince: times.from, samples: 9, gaps: 0, lastUse };
      const previous = { generation: 1, revoked: false, validUntil: "2026-01-02T00:00:00.000Z" };
      return { ...base, previous: { ...previous, watch: { ...watch, users: [{ ...seen, lastSeen: lastUse }] } } };
    };
    expect(shown("2026-01-02T06:01:00.000Z", used("2026-01-02T06:00:00.000Z"))).toContain(
      "generation 1 is usable although its grace period ended at 2026-01-02 00:00; it is still used by nightly from 10.0.0.7 since 2026-01-01 00:10 UTC",
    );
    expect(shown("2026-01-02T06:01:00.000Z", used("2026-01-01T12:00:00.000Z"))).toContain(
      "it is unused since 2026-01-01 12:00 UTC (before that by nightly from 10.0.0.7, since 2026-01-01 00:10 UTC, last seen 2026-01-01 12:00 UTC)",
    );
  });

  it("a pair that only the operator can make", () => {
    const hint = "it rotates once a new value is supplied: `rotation alpaca add-key`";
    expect(shown("2026-01-01T00:00:00.000Z", supplied)).toContain(hint);
    expect(shown("2026-01-01T00:00:00.000Z", { ...supplied, standing: "ok" })).not.toContain(hint);
    expect(shown("2026-01-01T00:00:00.000Z")).not.toContain("it rotates once");
  });
});

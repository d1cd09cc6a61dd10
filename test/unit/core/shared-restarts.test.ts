import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../core/decide";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { sharingGroups, withHeldBack } from "../../../core/shared-restarts";

const sharer = (name: string, restart: string[], mayWait = true) => ({ name, restart, mayWait });

describe("the secrets that share restarts", () => {
  it("have a service in common, directly or through another, in the order of the config", () => {
    const secrets = [
      sharer("a/x", ["api", "web"]),
      sharer("b/x", ["cron"]),
      sharer("c/x", ["web", "jobs"]),
      sharer("d/x", ["jobs"]),
      sharer("e/x", ["api"], false),
    ];
    expect(sharingGroups(secrets)).toEqual([["a/x", "c/x", "d/x"]]);
    // One that joins two which had nothing in common.
    expect(sharingGroups([sharer("a/x", ["api"]), sharer("b/x", ["web"]), sharer("c/x", ["web", "api"])])).toEqual([
      ["a/x", "b/x", "c/x"],
    ]);
  });

  it("are each in one group, and no service is in two", () => {
    const list = fc.uniqueArray(
      fc.record({
        name: fc.integer({ min: 0, max: 30 }).map((id) => `s${id}/x`),
        restart: fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f"), { minLength: 1 }),
        mayWait: fc.boolean(),
      }),
      { selector: ({ name }) => name },
    );
    fc.assert(
      fc.property(list, (secrets) => {
        const groups = sharingGroups(secrets);
        expect(new Set(groups.flat()).size).toBe(groups.flat().length);
        const servicesOf = (group: string[]) =>
          new Set(secrets.filter(({ name }) => group.includes(name)).flatMap(({ restart }) => restart));
        const all = groups.flatMap((group) => [...servicesOf(group)]);
        expect(new Set(all).size).toBe(all.length);
        for (const group of groups) expect(group.length).toBeGreaterThan(1);
        // Nobody who could be in a group is left out.
        const alone = secrets.filter(({ name, mayWait }) => mayWait && !groups.flat().includes(name));
        for (const one of alone)
          expect(
            secrets.filter((other) => other.mayWait && other.restart.some((s) => one.restart.includes(s))),
          ).toEqual([one]);
      }),
    );
  });
});

describe("an update in which something urgent acts", () => {
  const finished = nextState(undefined, { now: new Date("2026-11-23T02:00:00Z"), policy, hasAdopted: true });
  const rotated = nextState(finished, { now: new Date("2027-02-20T02:00:00Z"), policy, hasAdopted: true });
  const decision = (secret: string, more: Partial<Decision> = {}): Decision => ({
    ...{ secret, action: "ROTATE", from: 1, to: 2, reason: "89 days old", state: rotated, finished },
    ...{ begun: undefined, mode: "rotation", force: false, ...more },
  });

  it("leaves what is due by age to the next one, which then decides the same", () => {
    const leaked = decision("a/x", { state: { ...rotated, emergency: true } });
    expect(withHeldBack([leaked, decision("b/x")])).toEqual([
      leaked,
      {
        ...decision("b/x"),
        ...{ state: finished, action: undefined, to: 1 },
        reason: "89 days old; waits for the next update, since a/x is urgent",
      },
    ]);
    const back = decision("a/x", { action: "ROLLBACK" });
    expect(withHeldBack([decision("b/x"), back])[0]).toMatchObject({ action: undefined, state: finished });
  });

  it("holds nothing back that is begun, urgent too, or new", () => {
    const back = decision("a/x", { action: "ROLLBACK" });
    for (const other of [
      decision("b/x", { resumes: true }),
      decision("b/x", { action: "ADOPT", finished: undefined }),
      decision("b/x", { action: "REVOKE" }),
      decision("b/x", { action: undefined }),
    ]) {
      expect(withHeldBack([back, other])).toEqual([back, other]);
    }
    expect(withHeldBack([decision("a/x"), decision("b/x")])).toEqual([decision("a/x"), decision("b/x")]);
  });
});

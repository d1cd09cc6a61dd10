import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planBasis, planGuard } from "../../../components/plan-guard";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";

const program = Buffer.from("program");
const config = { "secret-rotation:environment": "paper", "secret-rotation:sshPrivateKey": "key" };
const changed = (before: readonly string[], after: readonly string[]) => after.filter((part) => !before.includes(part));

describe("what a saved plan is held to", () => {
  it("is the same for the same, in whatever order the config comes", () => {
    const turned = Object.fromEntries(Object.entries(config).reverse());
    expect(planBasis(turned, Buffer.from("program"))).toEqual(planBasis(config, program));
  });

  it.each([
    [/^config-[0-9a-f]{12}$/, { ...config, "secret-rotation:environment": "prod" }, program],
    [/^config-[0-9a-f]{12}$/, { ...config, "secret-rotation:services": "{}" }, program],
    [/^secret-config-[0-9a-f]{4}$/, { ...config, "secret-rotation:sshPrivateKey": "other" }, program],
    [/^secret-config-[0-9a-f]{4}$/, { ...config, "aws:secretKey": "another's" }, program],
    [/^program-[0-9a-f]{12}$/, config, Buffer.from("another program")],
  ])("names %s, and nothing else", (part, after, code) => {
    expect(changed(planBasis(config, program), planBasis(after, code))).toEqual([expect.stringMatching(part)]);
  });

  it("has no more of a secret than 16 bits of a hash", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 5 }), (secret) => {
        const said = planBasis({ "secret-rotation:adopted": secret }, program);
        expect(said[1]).toMatch(/^secret-config-[0-9a-f]{4}$/);
        expect(changed(planBasis({}, program), said).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is the same at another moment, and another once the secret moved", () => {
    const at = (time: string) => new Date(time);
    const first = nextState(undefined, { now: at("2026-11-23T02:00:00Z"), policy, hasAdopted: true });
    const later = nextState(undefined, { now: at("2026-11-23T02:00:09Z"), policy, hasAdopted: true });
    expect(later).not.toEqual(first);
    expect(planGuard([], later)).toEqual(planGuard([], first));
    const second = nextState(first, { now: at("2027-02-22T02:00:00Z"), policy, hasAdopted: true });
    expect(planGuard([], second)).not.toEqual(planGuard([], first));
  });
});

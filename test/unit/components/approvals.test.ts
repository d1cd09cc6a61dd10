import { describe, expect, it } from "vitest";
import { held, planHash } from "../../../components/approvals";
import { planDigest } from "../../../components/plan-guard";
import { type Decision, decide } from "../../../core/decide";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import type { Request } from "../../../core/request";
import type { SecretState } from "../../../core/state";

const program = Buffer.from("program");
const config = { "secret-rotation:environment": "paper", "secret-rotation:sshPrivateKey": "key" };
const first = nextState(undefined, { now: new Date("2026-11-23T02:00:00Z"), policy, hasAdopted: true });
const request: Request = { id: "one", secret: "a/b", rotate: true, reason: "leaked" };

function decided(now: string, asked: Request | undefined, finished: SecretState | undefined = first): Decision {
  return decide({
    secret: "a/b",
    now: new Date(now),
    policy,
    request: asked,
    finished,
    recorded: undefined,
    rules: {
      next: (previous, situation) => nextState(previous, { ...situation, hasAdopted: true }),
      modeOf: ({ emergency }) => (emergency ? "emergency" : "rotation"),
      canFinish: () => true,
    },
  });
}

const hash = (decision: Decision, raw: Record<string, string> = config, code = program, stack = "paper") =>
  planHash({ digest: planDigest(raw, code), stack }, decision);

describe("the hash that people sign", () => {
  const now = "2026-11-25T02:00:00Z";
  const plan = hash(decided(now, request));

  it("is the same at another time, and by a request of another id and other words", () => {
    expect(plan).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(decided("2026-11-26T05:00:00Z", { ...request, id: "two", reason: "seen in a log" }))).toBe(plan);
    const asking = { ...config, "secret-rotation:request": JSON.stringify(request) };
    expect(hash(decided(now, request), asking)).toBe(plan);
  });

  it.each<[string, string]>([
    ["an emergency", hash(decided(now, { ...request, emergency: true }))],
    ["one that overwrites an external write", hash(decided(now, { ...request, force: true }))],
    ["a rollback", hash(decided(now, { id: "one", secret: "a/b", activate: 0, reason: "leaked" }))],
    ["the next rotation", hash(decided(now, request, decided(now, { ...request, id: "zero" }).state))],
    ["another config", hash(decided(now, request), { ...config, "secret-rotation:services": "{}" })],
    [
      "another secret in the config",
      hash(decided(now, request), { ...config, "secret-rotation:sshPrivateKey": "other" }),
    ],
    ["another program", hash(decided(now, request), config, Buffer.from("another"))],
    ["another stack", hash(decided(now, request), config, program, "prod")],
  ])("is another one for %s", (_, other) => {
    expect(other).not.toBe(plan);
  });
});

describe("an update that needs two signatures", () => {
  const decision = decided("2026-11-25T02:00:00Z", request);
  const plan = hash(decision);
  const other = hash(decision, { ...config, "secret-rotation:services": "{}" });
  const approval = (by: string, of: string, generation = decision.to) => ({
    ...{ by, stack: "paper", secret: "a/b", action: "ROTATE", generation, plan: of },
  });
  const given = (...approvals: ReturnType<typeof approval>[]) =>
    held(decision, { digest: planDigest(config, program), stack: "paper", required: 2, given: approvals });

  it("acts on two of its plan, and its row names the plan and who approved it", () => {
    const { state } = given(approval("bob", plan), approval("alice", plan), approval("alice", plan));
    expect(state.step).toMatchObject({ plan, approvedBy: ["alice", "bob"] });
  });

  it("is refused with one, also if that one signed twice", () => {
    expect(() => given(approval("alice", plan), approval("alice", plan))).toThrow(/only alice has approved it: each/);
  });

  it("is refused if a signature is over another plan, and names both hashes", () => {
    const [own, theirs] = [plan.slice(0, 16), other.slice(0, 16)];
    expect(() => given(approval("alice", plan), approval("bob", other))).toThrow(
      `a/b: plan ${own} needs the approval of 2, and only alice has approved it (bob approved plan ${theirs}: config, program or decision were others then)`,
    );
    expect(() => given(approval("alice", plan), approval("alice", other))).toThrow(/only alice has approved it: each/);
    expect(() => given(approval("bob", other, 1))).toThrow(/nobody has approved it: each/);
  });
});

import { describe, expect, it } from "vitest";
import { restartedOf, storeOf } from "../../../cli/operate/look";

const [NAME, PASSWORD] = ["database/username", "database/password"];
const login = (generation: number, username: string | undefined, password: string) => ({
  generation,
  entries: [...(username === undefined ? [] : [{ path: NAME, value: username }]), { path: PASSWORD, value: password }],
});
const stored = (value: string | undefined) =>
  value === undefined
    ? undefined
    : ({ value, content: { kind: "value", value, generation: undefined }, version: "1", writtenAt: "" } as const);
const held = (username: string | undefined, password: string | undefined) => [
  { path: NAME, found: stored(username) },
  { path: PASSWORD, found: stored(password) },
];

describe("what the store holds", () => {
  const known = [login(2, "trader_b", "two"), login(3, "trader_a", "three")];

  it.each([
    ["the generation before", held("trader_b", "two"), { generation: 2 }],
    ["the new one", held("trader_a", "three"), { generation: 3 }],
    ["one half of each", held("trader_a", "two"), "half a pair"],
    ["the new name alone, of a platform that had none", held("trader_a", undefined), "half a pair"],
    ["another writer's password", held("trader_b", "x"), "unknown value"],
    ["another writer's name", held("desk", "two"), "unknown value"],
    ["nothing", held(undefined, undefined), "nothing"],
  ])("%s", (_, found, expected) => {
    expect(storeOf(found, known)).toEqual(expected);
  });

  it("a platform's own password has no name beside it, before a rollback to it and after", () => {
    for (const first of [login(0, undefined, "own"), login(0, "trader", "own")])
      expect(storeOf(held(undefined, "own"), [first, login(1, "trader_b", "one")])).toEqual({ generation: 0 });
  });
});

describe("whether a service was restarted", () => {
  const urn = "urn:pulumi:paper::secret-rotation::x$command:remote:Command::a-restart-orchestrator";
  const state = (trigger: string) => [{ urn, inputs: { triggers: [trigger] } }];

  it("is in the state by its activation; what was only begun is neither", () => {
    expect(restartedOf("a-restart-orchestrator", "3", state("3"), [])).toBe("yes");
    expect(restartedOf("a-restart-orchestrator", "3", state("2"), [])).toBe("no");
    expect(restartedOf("a-restart-orchestrator", "3", state("2"), ["a-restart-orchestrator"])).toBe("begun");
    expect(restartedOf("a-restart-orchestrator", "3 by request r", state("3"), [])).toBe("no");
    expect(restartedOf("a-restart-orchestrator", "3", [], [])).toBe("no");
    // In place; the trigger that an earlier version gave it stays beside it.
    const inPlace = [{ urn, inputs: { environment: { ROTATION_ACTIVATION: "3" }, triggers: ["2"] } }];
    expect(restartedOf("a-restart-orchestrator", "3", inPlace, [])).toBe("yes");
    expect(restartedOf("a-restart-orchestrator", "2", inPlace, [])).toBe("no");
  });
});

import { describe, expect, it } from "vitest";
import { targetOf } from "../../../cli/operate/rollback";
import { nextState } from "../../../core/next-state";
import { RequestRefusedError } from "../../../core/request";
import { activate, inputs, rotate } from "../core/update-inputs";

const first = nextState(undefined, inputs(0));
const second = nextState(first, inputs(89));
const third = nextState(second, inputs(91, { request: rotate("r") }));
const target = (finished: typeof first | undefined, begun?: typeof first) => targetOf("a/b", { finished, begun });

describe("the generation that a rollback without a target returns to", () => {
  it("is the previous one", () => {
    expect(target(first)).toBe(0);
    expect(target(second)).toBe(1);
  });

  it("after an interrupted rotation is the one that services had before", () => {
    expect(target(second, third)).toBe(2);
    expect(target(undefined, first)).toBe(0);
  });

  it("after an interrupted adoption is the one that was adopted over", () => {
    const adopt = { id: "a", secret: "a/b", adopt: true as const, reason: "" };
    const begun = nextState(second, inputs(91, { request: adopt }));
    expect(target(second, begun)).toBe(2);
  });

  it("after an interrupted rollback is that one's: it is finished", () => {
    expect(target(second, nextState(second, inputs(91, { request: activate("back", 1) })))).toBe(1);
  });

  it("does not exist if nothing came before", () => {
    const alone = { ...first, slots: [1, -1] as const, active: 0 as const };
    expect(() => target(alone)).toThrow(RequestRefusedError);
  });
});

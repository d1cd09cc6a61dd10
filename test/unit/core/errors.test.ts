import { expect, it } from "vitest";
import { codeOf, messageOf, reasonOf, StepError } from "../../../core/errors";
import { oneOf, unknown } from "../../../core/problem";

it("an error says its message, else what it is made of, each once, else its name", () => {
  expect(messageOf(new StepError("no such role"))).toBe("no such role");
  expect(messageOf(new TypeError(""))).toBe("TypeError");
  expect(messageOf("text")).toBe("text");
  expect(messageOf(undefined)).toBe("undefined");
  const refused = [new Error("refused ::1"), new Error("refused 127.0.0.1"), new Error("refused ::1")];
  expect(messageOf(new AggregateError(refused))).toBe("refused ::1; refused 127.0.0.1");
  expect(messageOf(new AggregateError(refused, "all failed"))).toBe("all failed");
});

it("the reason is what the cause says, else what the error says", () => {
  const refused = new AggregateError([new Error("refused ::1"), new Error("refused 127.0.0.1")]);
  expect(reasonOf(new TypeError("fetch failed", { cause: refused }))).toBe("refused ::1; refused 127.0.0.1");
  expect(reasonOf(new TypeError("fetch failed", { cause: "text" }))).toBe("fetch failed");
  expect(reasonOf(new Error("no answer"))).toBe("no answer");
  expect(reasonOf("text")).toBe("text");
});

it("an error's code is a text", () => {
  expect(codeOf(Object.assign(new Error("x"), { code: "42501" }))).toBe("42501");
  expect(codeOf(Object.assign(new Error("x"), { code: 7 }))).toBeUndefined();
  expect(codeOf(new Error("x"))).toBeUndefined();
  expect(codeOf({ code: "42501" })).toBeUndefined();
});

it("names to choose from are told as one, as several, or as none", () => {
  expect([oneOf([]), oneOf(["a"]), oneOf(["a", 2])]).toEqual(["none (there are none)", "a", "one of a, 2"]);
  expect(unknown("x", "hosts", { a: 1, b: 2 })).toBe("expected an entry of hosts (one of a, b), found x");
});

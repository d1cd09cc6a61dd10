import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { plainStackTraces } from "../../../components/quiet-sdk";

const before = Error.prepareStackTrace;

afterEach(() => {
  Error.prepareStackTrace = before;
});

test("stack traces are V8's own, whatever a library installed to map them", () => {
  Error.prepareStackTrace = () => "    at Stack.register (/srv/rotation/node_modules/@pulumi/resource.ts:1593:22)";
  plainStackTraces();
  const { stack } = new Error("4 settings are wrong");
  expect(stack).toMatch(/^Error: 4 settings are wrong\n {4}at .*quiet-sdk\.test/);
  expect(inspect(new Error("4 settings are wrong"), { colors: true })).toContain("quiet-sdk.test");
});

import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterEach, expect, test, vi } from "vitest";
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

test("the SDK says its debug messages and takes its declaration traces if this program turns them off", async () => {
  const [debug, stackTrace] = [pulumi.log.debug, Reflect.get(pulumi.Resource, "stackTrace")];
  const seen = { debug: vi.fn(() => Promise.resolve()), stackTrace: vi.fn(() => []) };
  pulumi.runtime.setMocks({ newResource: ({ name }) => ({ id: name, state: {} }), call: () => ({}) });
  try {
    Object.assign(pulumi.log, { debug: seen.debug });
    Object.assign(pulumi.Resource, { stackTrace: seen.stackTrace });
    await pulumi.runtime.runInPulumiStack(async () => void new pulumi.ComponentResource("test:index:Any", "any"));
  } finally {
    Object.assign(pulumi.log, { debug });
    Object.assign(pulumi.Resource, { stackTrace });
  }
  expect(seen.debug).toHaveBeenCalled();
  expect(seen.stackTrace).toHaveBeenCalled();
});

test("the Automation API selects a stack and asks for outputs and history by what cli/operate/engine.ts replaces", async () => {
  const selectStack = vi.fn(() => Promise.resolve());
  await Stack.select("paper", { selectStack, program: undefined } as never);
  expect(selectStack).toHaveBeenCalledWith("paper");
  const up = String(Stack.prototype.up);
  expect(up).toContain("this.outputs()");
  expect(up).toContain("this.info(");
});

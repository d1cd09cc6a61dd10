import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { endInspection } from "../../components/quiet-sdk";

const before = process.listeners("unhandledRejection");

afterEach(() => {
  for (const listener of process.listeners("unhandledRejection").filter((one) => !before.includes(one)))
    process.off("unhandledRejection", listener);
  for (const listener of process.listeners("uncaughtException").filter((one) => one.name === "shorten"))
    process.off("uncaughtException", listener);
});

test("an error loses the frames that util.inspect never gets done with, and no other line, before Pulumi shows it", () => {
  endInspection();
  const error = new Error("4 settings are wrong:\n  store: expected an object, found nothing");
  error.stack = [
    `Error: ${error.message}`,
    "    at main (/srv/rotation/dist/index.cjs:24683:13)",
    "    at Object.runProgram (/srv/rotation/node_modules/@pulumi/cmd/run/run.ts:577:70)",
    "    at Stack.register (/srv/rotation/node_modules/@pulumi/resource.ts:1593:22)",
  ].join("\n");
  const [first] = process.listeners("unhandledRejection");
  expect(before).not.toContain(first);
  first?.(error, Promise.resolve());
  expect(error.stack.split("\n")).toHaveLength(4);
  expect(error.stack).not.toContain("resource.ts");
  expect(inspect(error, { colors: true })).toContain("index.cjs");
});

import { expect, it } from "vitest";
import { OperationError } from "../../../cli/operate/errors";
import { removeHandled } from "../../../cli/operate/handled-request";
import { advised } from "../../advice/table";

const project = { dir: "/opt/secret-rotation", stack: "paper" };

async function removed(configure: (key: string, value: unknown) => Promise<void>): Promise<string[]> {
  const notes: string[] = [];
  await removeHandled({ id: "now" }, project, { configure }, { note: (text) => void notes.push(text) });
  return notes;
}

it("a handled request is removed from the config", async () => {
  const calls: unknown[] = [];
  expect(await removed(async (...call) => void calls.push(call))).toEqual([]);
  expect(calls).toEqual([["request", undefined]]);
});

it("in a file that cannot be written it stays, and the run that carried it out does not fail", async () => {
  const why = "pulumi config rm request failed: error: open Pulumi.paper.yaml: read-only file system";
  const [note = "", ...more] = await removed(() => Promise.reject(new OperationError(why)));
  expect(more).toEqual([]);
  expect(note).toContain("the request now is done and will not act again");
  expect(note).toContain("read-only file system");
  expect(advised("pulumi config rm request", note)).toBe(
    "pulumi config rm request --stack paper -C /opt/secret-rotation",
  );
});

it("what is no failure of the command is passed on", async () => {
  await expect(removed(() => Promise.reject(new TypeError("a bug")))).rejects.toThrow("a bug");
});

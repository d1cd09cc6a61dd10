import { afterAll, beforeAll } from "vitest";
import type { Access } from "../../../dev/lab/access";
import { type LabProcess, startLabProcess } from "../lab/lab-process";
import type { FreshStack } from "./fresh-stack";

/** A lab of its own for a suite, and a stack on it. */
export function useStack(make: (access: Access) => Promise<FreshStack>): [() => FreshStack, () => Access] {
  let lab: LabProcess | undefined;
  let access: Access;
  let stack: FreshStack;
  beforeAll(async () => {
    lab = await startLabProcess(["--json"]);
    access = await lab.ready();
    stack = await make(access);
  });
  afterAll(() => lab?.remove());
  return [() => stack, () => access];
}

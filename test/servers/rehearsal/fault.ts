import { writeFile } from "node:fs/promises";
import type { Rehearsal } from "../../../kinds/postgres-password/rehearsal/input";
import { HBA, type Stage } from "./stage";

/** One thing that is wrong, and what the rehearsal must say of it. */
export interface Fault {
  readonly name: string;
  /** Who finds it, over which path, and what. */
  readonly names: readonly [reader: RegExp | string, path: string, what: RegExp];
  readonly inject: (stage: Stage) => Promise<unknown>;
  readonly undo: (stage: Stage) => Promise<unknown>;
  /** For what is wrong in the config, or on another machine than the servers'. */
  readonly input?: (given: Rehearsal, stage: Stage) => void;
}

export const nothing = () => Promise.resolve();

export const sql = (inject: string, undo: string) => ({
  inject: (stage: Stage) => stage.sql(inject),
  undo: (stage: Stage) => stage.sql(undo),
});
export const hba = (...lines: string[]) => ({
  inject: (stage: Stage) => stage.hba([...lines, HBA.pipeline, HBA.replication]),
  undo: (stage: Stage) => stage.hba(Object.values(HBA)),
});
export const config = (input: Fault["input"]) => ({ inject: nothing, undo: nothing, ...(input && { input }) });
export const file = (name: string, text: string | undefined) => {
  let before = "";
  return {
    inject: async (stage: Stage) => {
      before = await stage.read(name);
      await (text === undefined ? stage.remove(name) : writeFile(stage.file(name), text));
    },
    undo: (stage: Stage) => writeFile(stage.file(name), before),
  };
};

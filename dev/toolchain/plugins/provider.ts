import type { Properties } from "./values";

/** What every request about a resource contains. */
export interface ResourceContext {
  /** The type token, such as `random:index/randomPassword:RandomPassword`. */
  type: string;
  /** The logical name in the program. */
  name: string;
  /** Nothing may be changed: answer what can be foretold and leave the rest unknown. */
  preview: boolean;
  /** Seconds the operation may take; 0 is no limit. */
  timeout: number;
  /** Aborted when the user cancels the update. */
  signal: AbortSignal;
  /** Shows a line of output beside the resource while the update runs. */
  log(message: string, severity?: "info" | "error"): void;
}

/** How a property would change, by its path (`triggers[0]`, `environment.X`). */
export type PropertyChange = "ADD" | "ADD_REPLACE" | "DELETE" | "DELETE_REPLACE" | "UPDATE" | "UPDATE_REPLACE";

/** The answer to "what would change?". */
export interface DiffResult {
  /** Top-level properties that force a replacement. */
  replaces?: string[];
  /** Top-level properties that never change in place. */
  stables?: string[];
  /** Top-level properties that differ; none is no change. */
  diffs: string[];
  /** By path. Left out by providers that do not say more than `diffs`. */
  detailed?: Record<string, PropertyChange>;
  deleteBeforeReplace?: boolean;
}

/** A resource as it is now. */
export interface ReadResult {
  id: string;
  properties: Properties;
  inputs: Properties;
}

/** Something wrong with the inputs that the program gave. */
export interface CheckFailure {
  property: string;
  reason: string;
}

/** What a package has to answer. Property values are in wire form (see `values.ts`); a thrown error fails the operation with its message. */
export interface Provider {
  capabilities: {
    acceptSecrets?: boolean;
    acceptResources?: boolean;
    acceptOutputs?: boolean;
    supportsAutonaming?: boolean;
  };
  checkConfig(news: Properties): Properties;
  configure(config: Properties): void;
  check(
    context: ResourceContext,
    olds: Properties,
    news: Properties,
  ): { inputs: Properties; failures?: CheckFailure[] };
  diff(
    context: ResourceContext,
    olds: Properties,
    news: Properties,
    oldInputs: Properties,
    ignore: string[],
  ): DiffResult;
  create(context: ResourceContext, inputs: Properties): Promise<{ id: string; properties: Properties }>;
  /** Undefined when the resource is gone. Without `state` the resource is being imported. */
  read(
    context: ResourceContext,
    id: string,
    state: Properties | undefined,
    inputs: Properties | undefined,
  ): Promise<ReadResult | undefined>;
  update(
    context: ResourceContext,
    id: string,
    olds: Properties,
    news: Properties,
    ignore: string[],
  ): Promise<Properties>;
  delete(context: ResourceContext, id: string, state: Properties): Promise<void>;
  invoke?(token: string, args: Properties): Promise<Properties>;
}

import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { StoreConfig } from "../config";
import { slugOf } from "../core/resource-names";
import type { SlotIndex } from "../core/state";
import { declareStore } from "../stores";
import { isDocument, pairOf } from "../stores/entries";
import { type StoreReference, schemaOf } from "../stores/schemas";
import type { DeclareBefore, StoreEntry, WriteOptions } from "../stores/store";
import type { After } from "./after";
import { answerOf, stepCommand } from "./step-command";

/** What the program keeps at a path. */
export type DeclaredEntry = StoreEntry<pulumi.Input<string>>;

export interface WriteArgs {
  readonly entries: readonly DeclaredEntry[];
  /** Kept beside values that belong together, so that a reader can tell whether it read a pair. */
  readonly generation: pulumi.Input<number>;
  /** The slot of the values, which serves the same purpose in a store that cannot keep a number. */
  readonly slot: SlotIndex;
  /** Every entry that this stack knows of a path: only they are overwritten. */
  readonly known: readonly DeclaredEntry[];
  /** What to do after an external write; the end of a message. */
  readonly whenForeign: string;
  /** Whether a request says to overwrite an external write. */
  readonly force: boolean;
  /** The activation the write belongs to. */
  readonly trigger: pulumi.Input<string>;
  /** Whether one step writes all entries. Default: a step for each, as earlier versions declared it. */
  readonly atOnce?: boolean;
}

/** Our marks on each path, complete: a mark that is left out is removed. Never a value. */
export type Marks = readonly { readonly path: string; readonly says: pulumi.Input<Record<string, string>> }[];

interface MarkOptions {
  readonly parent: pulumi.Resource;
  readonly dependsOn: After;
  /** Whether one step marks all paths. Default: a step for each. */
  readonly atOnce?: boolean;
}

/** The result of a write. */
export interface Stored {
  /** What comes after the write depends on it. */
  readonly last: pulumi.Resource;
  /** `entries`: each path with its version. `warnings`, `overrides`: what the audit row must say. */
  readonly answer: pulumi.Output<Record<string, unknown>>;
}

/** The store of a stack, as its rotations write to it. */
export class StackStore {
  /** @param reference how a step reaches it @param before what must be declared before a path is written */
  constructor(
    readonly reference: StoreReference,
    private readonly before?: DeclareBefore,
  ) {}

  get kind(): StoreConfig["kind"] {
    return this.reference.kind;
  }

  /**
   * Writes the entries, one after the other, keeps all that belongs to others, and reads each back. Nothing is written
   * if the store holds the value, or if there was an external write to any of the paths.
   *
   * They are written by a step of ours: a provider's resource writes the whole document, from its own state, and knows
   * neither what others keep in it nor which version it overwrites.
   */
  write(name: string, args: WriteArgs, { parent, dependsOn }: WriteOptions): Stored {
    if (args.atOnce !== true) return this.writeEach(name, args, { parent, dependsOn });
    const { entries, generation, slot, known, whenForeign, force, trigger } = args;
    const before = entries.map(({ path }) => this.before?.(pathName(name, path), path, { parent, dependsOn }));
    const command = stepCommand(
      `${name}-store-write`,
      {
        step: "store-write",
        about: entries.map((entry) => `${this.placeOf(entry.path)}${keyWords(entry)}`).join(" and "),
        input: { store: this.reference, entries, pair: { generation, slot }, known, whenForeign, force },
        trigger,
        inPlace: 3,
      },
      { parent, dependsOn: [dependsOn, ...before.filter((resource) => resource !== undefined)] },
    );
    return { last: command, answer: answerOf(command) };
  }

  /** The same with a step for each path, which does not look at the other paths. */
  private writeEach(name: string, args: WriteArgs, { parent, dependsOn }: WriteOptions): Stored {
    const { entries, generation, slot, known, whenForeign, force, trigger } = args;
    const store = this.reference;
    const written: local.Command[] = [];
    let last = dependsOn;
    for (const entry of entries) {
      const { path } = entry;
      const resource = pathName(name, path);
      const mark = pairOf(entries, entry, { generation, slot });
      const pair = mark === undefined ? {} : { pair: mark };
      const own = known.filter((one) => one.path === path);
      const guard = { known: own, whenForeign, force, activation: trigger };
      const command = stepCommand(
        resource,
        {
          step: "store-write",
          about: `${this.placeOf(path)}${keyWords(entry)}`,
          input: { store, entry, ...pair, ...guard },
        },
        { parent, dependsOn: this.before?.(resource, path, { parent, dependsOn: last }) ?? last },
      );
      written.push(command);
      last = command;
    }
    const answer = pulumi.all(written.map(answerOf)).apply((answers): Record<string, unknown> => {
      const all = (key: string) => answers.flatMap((one) => (one[key] ?? []) as unknown[]);
      return { entries: all("entries"), warnings: all("warnings") };
    });
    return { last, answer };
  }

  /**
   * Marks what is kept at the paths (Vault's custom metadata, AWS's tags), one after the other, beside the marks of
   * others; writes no version. What comes after depends on the result.
   */
  mark(name: string, marks: Marks, { parent, dependsOn, atOnce = false }: MarkOptions): After {
    const store = this.reference;
    if (atOnce) {
      const about = marks.map(({ path }) => this.placeOf(path)).join(" and ");
      return stepCommand(
        `${name}-store-mark`,
        { step: "store-mark", about, input: { store, marks } },
        { parent, dependsOn },
      );
    }
    return marks.reduce<After>(
      (earlier, { path, says }) =>
        stepCommand(
          `${pathName(name, path)}-${schemaOf(store).marks}`,
          { step: "store-mark", about: this.placeOf(path), input: { store, path, says } },
          { parent, dependsOn: earlier },
        ),
      dependsOn,
    );
  }

  private placeOf(path: string): string {
    return schemaOf(this.reference).placeOf(this.reference, path);
  }
}

/** The store that the config names. @param stack names the run's session, if runs log in to the store */
export async function createStore(config: StoreConfig, environment: string, stack: string): Promise<StackStore> {
  const reference = schemaOf(config).referenceOf(config, environment, stack);
  return new StackStore(reference, await declareStore(config, environment));
}

/** The keys of a document, so that a plan shows which come and go. */
function keyWords(entry: DeclaredEntry): string {
  if (!isDocument(entry)) return "";
  const removed = entry.removed === undefined ? "" : `, without ${entry.removed.join(", ")}`;
  return ` (${Object.keys(entry.fields).join(", ")}${removed})`;
}

/** The name of a resource for a path: `database-password-database-username`. */
const pathName = (name: string, path: string) => `${name}-${slugOf(path)}`;

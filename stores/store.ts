import type * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import type { Field, Fields } from "../core/document";
import { secret } from "../core/secret-fields";
import type { SlotIndex } from "../core/state";
import type { Content } from "../core/store-content";
import type { Scalar } from "../core/template";

/**
 * A place that services read secrets from: what its folder provides besides its schema (`StoreSchema`). How a value is
 * written safely (`writeEntry`) and the resources around it (`components/stack-store.ts`) are the same for all.
 *
 * `C` is its part of the config, `R` how a step reaches it.
 */
export interface Store<C = unknown, R = unknown> {
  /** Its client, with the credentials of the environment. */
  connect(reference: R): StoreClient;
  /** The same with another token; a store without tokens has none. */
  connectAs?(reference: R, token: () => Promise<string>): StoreClient;
  /**
   * Begins the run's own login if the config says how to log in; it ends when this process ends. A store that takes the
   * environment's credentials as they are has none.
   */
  openSession?(config: C, run: Run): void;
  /** The session's credential as variables for what a run starts; empty without a session. @throws StepError */
  sessionEnvironment?(): Promise<Readonly<Record<string, string>>>;
  /**
   * What the Pulumi program has to declare before a path is written, such as the secret itself; undefined if nothing. Loads a
   * provider's SDK, so it is called for the store in use only: `@pulumi/aws` has 84 MB.
   */
  declare(config: C, environment: string): Promise<DeclareBefore | undefined>;
}

/** A run of the program or of a command. */
export interface Run {
  /** The project's folder. */
  readonly dir: string;
  readonly stack: string;
  /** The secret id of AppRole. */
  readonly vaultSecretId?: string | undefined;
  /** Whether the steps of an update share the login. */
  readonly shared: boolean;
}

/**
 * Declares what must exist before a path is written.
 *
 * @param name the name of the resource that writes it; this one's begins with it.
 */
export type DeclareBefore = (name: string, path: string, opts: WriteOptions) => pulumi.Resource;

export interface WriteOptions {
  readonly parent: pulumi.Resource;
  readonly dependsOn: pulumi.Resource;
}

/** What steps and the CLI need of a store. Paths are below the environment, such as `database/password`. */
export interface StoreClient {
  /** The content of a path, with its version; undefined if there never was any. @throws StepError */
  read(path: string): Promise<StoredValue | undefined>;
  /**
   * Fails if the store cannot be reached, is not of the right kind, or the paths may not be written and marked. Returns
   * the evidence. @param seconds how long the run's credential is needed, at the least
   */
  check(paths: readonly string[], seconds?: number): Promise<string>;
  /** Whether the content that was read equals what a write of this entry would leave: `holdsEntry`, and the pair's mark. */
  holds(found: StoredValue | undefined, entry: StoreEntry, pair: PairMark | undefined): boolean;
  /**
   * Writes the entry and keeps all that is not ours, if the store still has what was read (`found`).
   * @returns the new version; undefined if there was an external write since, and nothing was written
   */
  writeAt(
    found: StoredValue | undefined,
    entry: StoreEntry,
    pair: PairMark | undefined,
  ): Promise<NewVersion | undefined>;
  /** Whether an answer is older than a version that was just written, such as a standby's. */
  isBefore(read: StoredValue | undefined, version: string, found: StoredValue | undefined): boolean;
  /**
   * What to do if a path holds something that this program cannot read.
   *
   * @param keys the keys of the document that it expects there; undefined if it expects one value
   */
  advice(path: string, keys?: readonly string[]): string;
  /** Sets our marks beside those of others, and removes our obsolete ones. @returns what changed */
  mark(path: string, says: Readonly<Record<string, string>>): Promise<readonly string[]>;
}

/** What this stack keeps at a path: one value, or keys of a document. `V` is a text, or one that is known later. */
export type StoreEntry<V = string> = ValueEntry<V> | DocumentEntry<V>;

/** The one value of a path. */
export interface ValueEntry<V = string> extends Field<V> {
  readonly path: string;
}

/** Keys of the JSON document at a path; all other keys are their owners'. They are written at once. */
export interface DocumentEntry<V = string> {
  readonly path: string;
  readonly fields: Fields<V | Scalar>;
  /** Keys that were ours, which a write removes. */
  readonly removed?: readonly string[];
}

const isPublic = z.literal(true).optional();

/** A {@link StoreEntry} in a step's input. */
export const storeEntry = z.union([
  z.object({ path: z.string(), value: secret(z.string()), public: isPublic }),
  z.object({
    path: z.string(),
    fields: z.record(
      z.string(),
      z.object({ value: secret(z.union([z.string(), z.number(), z.boolean()])), public: isPublic }),
    ),
    removed: z.array(z.string()).optional(),
  }),
]);

/** What the store holds at a path. */
export interface StoredValue {
  /** Undefined if the store holds no text that this program can read: `content` says what it holds. */
  readonly value: string | undefined;
  readonly content: Content;
  /** The version, as the store's users name it. */
  readonly version: string;
  /** When the version was written, ISO 8601. */
  readonly writtenAt: string;
  /** The whole JSON document as it was read, including what is not ours. Undefined if it is none. Never printed. */
  readonly document?: string;
  /** AWS: the version's labels. */
  readonly labels?: readonly string[];
}

/** The result of a write. */
export interface NewVersion {
  readonly version: string;
  /** A warning about it. */
  readonly warning?: string;
}

/** A mark on values that belong together, so that a reader never takes half a pair. */
export interface PairMark {
  readonly generation: number;
  readonly slot: SlotIndex;
}

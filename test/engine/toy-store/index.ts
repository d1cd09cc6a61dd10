import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StepError } from "../../../core/errors";
import { changedMarks } from "../../../core/store-content";
import { holdsEntry, isDocument } from "../../../stores/entries";
import type { PairMark, Store, StoreClient, StoredValue, StoreEntry } from "../../../stores/store";
import type { ToyReference } from "./schema";

interface Document {
  readonly value: string;
  readonly version: number;
  readonly writtenAt: string;
  readonly generation?: number | undefined;
  readonly marks?: Record<string, string>;
}

class ToyFiles implements StoreClient {
  private readonly folder: string;

  constructor({ folder, environment }: ToyReference) {
    this.folder = join(folder, environment);
  }

  async read(path: string): Promise<StoredValue | undefined> {
    const found = await this.document(path);
    if (found === undefined) return undefined;
    const { value, version, writtenAt, generation } = found;
    const content = { kind: "value", value, generation: generation?.toString() } as const;
    return { value, content, version: String(version), writtenAt };
  }

  async check(paths: readonly string[]): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    return paths.map((path) => this.fileOf(path)).join(", ");
  }

  holds(found: StoredValue | undefined, entry: StoreEntry, pair: PairMark | undefined): boolean {
    if (found?.content.kind !== "value" || !holdsEntry(found, entry)) return false;
    return pair === undefined || found.content.generation === String(pair.generation);
  }

  async writeAt(found: StoredValue | undefined, entry: StoreEntry, pair: PairMark | undefined) {
    if (isDocument(entry)) throw new StepError("this store keeps values alone");
    const { path, value } = entry;
    const before = await this.document(path);
    if (String(before?.version ?? "") !== (found?.version ?? "")) return undefined;
    const version = (before?.version ?? 0) + 1;
    const marks = before?.marks === undefined ? {} : { marks: before.marks };
    await this.save(path, {
      value,
      version,
      writtenAt: new Date().toISOString(),
      generation: pair?.generation,
      ...marks,
    });
    return { version: String(version) };
  }

  isBefore(read: StoredValue | undefined, version: string): boolean {
    return read === undefined || Number(read.version) < Number(version);
  }

  advice(path: string): string {
    return `write {"value": ...} into ${this.fileOf(path)}`;
  }

  async mark(path: string, says: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const found = await this.document(path);
    if (found === undefined) throw new StepError(`${this.fileOf(path)} does not exist`);
    const changed = changedMarks(found.marks ?? {}, says);
    const kept = Object.entries(found.marks ?? {}).filter(([name]) => !(name in changed));
    await this.save(path, { ...found, marks: { ...Object.fromEntries(kept), ...says } });
    return Object.keys(changed);
  }

  private fileOf(path: string): string {
    return join(this.folder, `${path}.json`);
  }

  private async document(path: string): Promise<Document | undefined> {
    const text = await readFile(this.fileOf(path), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as Document);
  }

  private async save(path: string, document: Document): Promise<void> {
    const file = this.fileOf(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(`${file}.new`, JSON.stringify(document), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}

/** Files, the store of the test that a store is one folder. */
export const toy = {
  connect: (reference: ToyReference) => new ToyFiles(reference),
  declare: () => Promise.resolve(undefined),
} satisfies Store<unknown, ToyReference>;

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PassingError, StepError } from "../../../core/errors";
import type { Content } from "../../../core/store-content";
import { holdsEntry, isDocument, isForeign } from "../../../stores/entries";
import type { NewVersion, StoreClient, StoredValue, StoreEntry } from "../../../stores/store";
import { describe as described, oddWords, type Wish, type Written, writeEntry } from "../../../stores/write-entry";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** When the store was read, in milliseconds from the begin of the test. */
let readAt: number[] = [];

/** Lets all pauses pass at once. */
async function write(client: StoreClient, wanted: Wish): Promise<Written> {
  const begin = performance.now();
  readAt = [];
  const read = client.read.bind(client);
  client.read = (path) => {
    readAt.push(Math.round(performance.now() - begin));
    return read(path);
  };
  const [ended] = await Promise.all([
    writeEntry(client, wanted).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
    vi.runAllTimersAsync(),
  ]);
  if ("error" in ended) throw ended.error;
  return ended.value;
}

const PATH = "database/password";
const AT = "2026-11-23T02:00:00Z";

const version = (number: number, content: Content): StoredValue => ({
  value: content.kind === "value" ? content.value : undefined,
  content,
  version: String(number),
  writtenAt: AT,
});
const text = (number: number, value: string) => version(number, { kind: "value", value, generation: undefined });
const ODD: Content = { kind: "unusable", why: "it has the keys `a`, `b`; expected the key `value`" };
const EMPTY: Content = { kind: "empty", why: "the document is empty" };

type Write = (found: StoredValue | undefined, value: string) => NewVersion | undefined;

/** A store in memory, with check-and-set. `reads` come before what it holds; `writes` instead of what it does. */
function storeWith(
  held: StoredValue | undefined,
  { reads = [], writes = [] }: { reads?: (StoredValue | undefined)[]; writes?: Write[] } = {},
) {
  const store = { held, written: [] as string[] };
  const client: Pick<StoreClient, "read" | "holds" | "writeAt" | "isBefore"> = {
    read: async () => (reads.length > 0 ? reads.shift() : store.held),
    holds: holdsEntry,
    writeAt: async (found, entry) => {
      const value = isDocument(entry) ? "" : entry.value;
      const made = writes.shift();
      if (made !== undefined) return made(found, value);
      if (found?.version !== store.held?.version) return undefined;
      store.held = text(Number(store.held?.version ?? 0) + 1, value);
      store.written.push(value);
      return { version: store.held.version };
    },
    isBefore: (read, wanted) => Number(read?.version ?? 0) < Number(wanted),
  };
  return Object.assign(store, { client: client as StoreClient });
}

const knownAs = (...values: readonly string[]): StoreEntry[] => values.map((value) => ({ path: PATH, value }));
const wish = (more: Partial<Wish> = {}): Wish => ({
  entry: { path: PATH, value: "new" },
  known: knownAs("old"),
  force: false,
  whenForeign: "Do this.",
  ...more,
});
const refused = (message: string) => new StepError(message);

describe("writeEntry", () => {
  it("writes over nothing, nothing of worth and a known value; and nothing if the value is there", async () => {
    for (const held of [undefined, version(1, EMPTY), text(1, "old")]) {
      const store = storeWith(held);
      const next = held === undefined ? "1" : "2";
      expect(await write(store.client, wish())).toEqual({ path: PATH, version: next, wrote: true, warnings: [] });
      expect([store.held?.value, readAt]).toEqual(["new", [0, 0]]);
    }
    const done = storeWith(text(7, "new"));
    expect(await write(done.client, wish())).toEqual({ path: PATH, version: "7", wrote: false, warnings: [] });
    expect(done.written).toEqual([]);
  });

  it("says what the store says of the new version", async () => {
    const writes: Write[] = [() => ({ version: "2", warning: "one of ten versions" })];
    const store = storeWith(text(1, "old"), { reads: [text(1, "old"), text(2, "new")], writes });
    expect(await write(store.client, wish())).toMatchObject({ wrote: true, warnings: ["one of ten versions"] });
  });

  it("refuses an external write and names no value; overwrites it if a request says so", async () => {
    const foreign = [
      [text(3, "s3cret"), ""],
      [version(3, ODD), ", and it has the keys `a`, `b`; expected the key `value`"],
    ] as const;
    for (const [held, more] of foreign) {
      const store = storeWith(held);
      await expect(write(store.client, wish())).rejects.toThrow(
        refused(`external write to ${PATH}: version 3, written ${AT}${more}. Do this.`),
      );
      expect(store.written).toEqual([]);
      expect(await write(storeWith(held).client, wish({ force: true }))).toMatchObject({ version: "4" });
    }
  });

  it("reads and writes again if others write in between or the store fails for a moment, with growing pauses", async () => {
    const passing: Write = () => {
      throw new PassingError("503");
    };
    const store = storeWith(text(1, "old"), { writes: [() => undefined, passing, () => undefined] });
    expect(await write(store.client, wish())).toMatchObject({ version: "2", wrote: true });
    expect(readAt).toEqual([0, 200, 600, 1400, 1400]);
  });

  it("stops after eight tries: with the store's error, or by saying that others write", async () => {
    const writes = Array<Write>(20).fill(() => undefined);
    await expect(write(storeWith(text(1, "old"), { writes }).client, wish())).rejects.toThrow(
      refused(`${PATH}: 8 external writes came in between; nothing was written. Run it again`),
    );
    expect([writes.length, readAt]).toEqual([12, [0, 200, 600, 1400, 3000, 6200, 9400, 12_600]]);
    const failing = Array<Write>(20).fill(() => {
      throw new PassingError("503");
    });
    await expect(write(storeWith(undefined, { writes: failing }).client, wish())).rejects.toThrow("503");
    expect(failing).toHaveLength(12);
  });

  it("ends at once with an error that does not pass", async () => {
    const writes = [
      () => {
        throw new StepError("403");
      },
    ];
    await expect(write(storeWith(undefined, { writes }).client, wish())).rejects.toThrow("403");
    expect(readAt).toEqual([0]);
  });

  it("waits until the store shows the version, and says so if it never does", async () => {
    const stale = [text(1, "old"), text(1, "old"), undefined];
    const store = storeWith(text(1, "old"), { reads: [...stale] });
    expect(await write(store.client, wish())).toMatchObject({ version: "2" });
    expect(readAt).toEqual([0, 0, 50, 150]);
    for (const [last, found] of [
      [text(1, "old"), "version 1"],
      [undefined, "nothing"],
    ] as const) {
      const lagging = storeWith(text(1, "old"), { reads: [text(1, "old"), ...Array(99).fill(last)] });
      await expect(write(lagging.client, wish())).rejects.toThrow(
        refused(
          `version 2 of ${PATH} was written, and the store still answers with ${found} after 30 s: a standby or a replica ` +
            "lags behind. No service was restarted. Run it again once it has caught up: it continues from here",
        ),
      );
      expect(readAt.at(-1)).toBe(30_000);
    }
  });

  it("names an external write right after its own, and a path that was deleted", async () => {
    const after = storeWith(text(1, "old"), { reads: [text(1, "old"), text(3, "s3cret")] });
    await expect(write(after.client, wish())).rejects.toThrow(
      refused(`external write to ${PATH}: version 3, written ${AT}, right after this update wrote version 2. Do this.`),
    );
    const gone = storeWith(text(1, "old"), { reads: [text(1, "old"), undefined] });
    gone.client.isBefore = () => false;
    await expect(write(gone.client, wish())).rejects.toThrow(
      refused(`${PATH} was deleted, right after this update wrote version 2. Do this.`),
    );
  });

  it("a newer version with our value is ours", async () => {
    const store = storeWith(text(1, "old"), { reads: [text(1, "old"), text(5, "new")] });
    expect(await write(store.client, wish())).toMatchObject({ version: "5", wrote: true });
  });
});

describe("isForeign", () => {
  it("is exactly what holds something that is none of the known values", () => {
    const value = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(value, fc.array(value), (held, values) => {
        const known = knownAs(...values);
        expect(isForeign(text(1, held), known, undefined)).toBe(!values.includes(held));
        expect(isForeign(version(1, ODD), known, undefined)).toBe(true);
        expect(isForeign(version(1, EMPTY), known, undefined)).toBe(false);
        expect(isForeign(undefined, known, undefined)).toBe(false);
      }),
    );
  });
});

it("a version is described with what is wrong with it, without its value", () => {
  expect(described(PATH, text(2, "s3cret"))).toBe(`${PATH}: version 2, written ${AT}`);
  expect(oddWords(version(1, EMPTY))).toBe(", and the document is empty");
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChainRow, canonicalText, GENESIS, HASHED_COLUMNS, hashOf } from "../../../audit/canonical";
import type { ChainHead } from "../../../audit/chain";
import { ChainWalk } from "../../../audit/chain-walk";

const COLUMNS = Object.keys(HASHED_COLUMNS).length;

interface Chain {
  rows: ChainRow[];
  head: ChainHead;
}

function chainOf(length: number, first = 1, previous = GENESIS): Chain {
  const rows: ChainRow[] = [];
  let previousHash = previous;
  for (let id = first; id < first + length; id++) {
    const fields = Array.from({ length: COLUMNS }, (_, column) => (column % 4 === 3 ? null : `${column} of ${id}`));
    const hash = hashOf(previousHash, id, fields);
    rows.push({ id, previousHash, hash, fields });
    previousHash = hash;
  }
  return { rows, head: { id: first + length - 1, hash: previousHash, rows: length } };
}

function check(rows: readonly ChainRow[], head: ChainHead | undefined, anchors: { id: number; hash: string }[] = []) {
  const walk = new ChainWalk(anchors);
  for (const row of [...rows].sort((a, b) => a.id - b.id)) walk.push(row);
  return walk.finish(head);
}

const kinds = (rows: readonly ChainRow[], head: ChainHead | undefined) =>
  check(rows, head).problems.map(({ id, kind }) => `${id} ${kind}`);

const at = (chain: Chain, id: number): ChainRow => {
  const row = chain.rows.find((candidate) => candidate.id === id);
  if (!row) throw new Error(`expected row ${id}`);
  return row;
};

const without = (chain: Chain, ...ids: number[]) => chain.rows.filter((row) => !ids.includes(row.id));

const field = fc.option(fc.string({ unit: "binary" }), { nil: null });
const fields = fc.array(field, { minLength: COLUMNS, maxLength: COLUMNS });

describe("canonical text", () => {
  it("differs for different values", () => {
    fc.assert(
      fc.property(fc.array(field), fc.array(field), (a, b) => {
        expect(canonicalText(a) === canonicalText(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it("any change of any value, of the id or of the previous hash changes the hash", () => {
    fc.assert(
      fc.property(fields, fc.nat(COLUMNS - 1), field, fc.nat(), (values, column, value, id) => {
        fc.pre(values[column] !== value);
        const hash = hashOf(GENESIS, id, values);
        expect(hashOf(GENESIS, id, values.with(column, value))).not.toBe(hash);
        expect(hashOf(GENESIS, id + 1, values)).not.toBe(hash);
        expect(hashOf(hash, id, values)).not.toBe(hash);
        expect(hashOf(null, id, values)).not.toBe(hash);
      }),
    );
  });
});

describe("an untouched chain", () => {
  it("is valid at any length, pruned or not, and an anchor anywhere on it holds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.nat(), (length, which) => {
        const chain = chainOf(length);
        const row = chain.rows[which % Math.max(length, 1)];
        expect(check(chain.rows, chain.head, row ? [{ id: row.id, hash: row.hash ?? "" }] : []).problems).toEqual([]);
      }),
    );
  });

  it("may begin if a PRUNE row says that the rows before it were removed", () => {
    const chain = chainOf(9);
    const values = Object.keys(HASHED_COLUMNS).map((name) => {
      if (name === "action") return "PRUNE";
      return name === "outputs" ? JSON.stringify({ throughId: 4, throughHash: at(chain, 4).hash }) : name;
    });
    const hash = hashOf(chain.head.hash, 10, values);
    const rows = [...chain.rows, { id: 10, previousHash: chain.head.hash, hash, fields: values }];
    const head = { id: 10, hash, rows: 6 };
    const found = check(rows.slice(4), head, [{ id: 2, hash: "of a row that is gone by rights" }]);
    expect(found).toMatchObject({ problems: [], prunedThrough: 4, rows: 6 });
    expect(kinds(rows.slice(5), { ...head, rows: 5 })).toEqual(["1 deleted"]);
  });
});

describe("tampering is named", () => {
  const chain = chainOf(40);
  const row = fc.integer({ min: 1, max: 40 });

  it("a changed value, with the hash as it was or computed anew", () => {
    fc.assert(
      fc.property(row, fc.nat(COLUMNS - 1), fc.boolean(), (id, column, rehash) => {
        const old = at(chain, id);
        const values = old.fields.with(column, "another");
        const hash = rehash ? hashOf(old.previousHash, id, values) : old.hash;
        const rows = chain.rows.map((other) => (other === old ? { ...old, hash, fields: values } : other));
        expect(kinds(rows, chain.head)).toEqual([`${id} changed`]);
      }),
    );
  });

  it("a changed hash or previous hash", () => {
    fc.assert(
      fc.property(
        row,
        fc.constantFrom("hash", "previousHash"),
        fc.constantFrom(null, "f".repeat(64)),
        (id, key, to) => {
          const rows = chain.rows.map((other) => (other.id === id ? { ...other, [key]: to } : other));
          expect(kinds(rows, chain.head)).toEqual([`${id} changed`]);
        },
      ),
    );
  });

  it("several changed rows", () => {
    fc.assert(
      fc.property(fc.uniqueArray(row, { minLength: 1, maxLength: 12 }), (ids) => {
        const rows = chain.rows.map((other) =>
          ids.includes(other.id) ? { ...other, fields: other.fields.with(1, "another") } : other,
        );
        expect(kinds(rows, chain.head)).toEqual(ids.sort((a, b) => a - b).map((id) => `${id} changed`));
      }),
    );
  });

  it("deleted rows, also at the beginning and at the end, renumbered or not", () => {
    fc.assert(
      fc.property(row, fc.nat(5), fc.boolean(), (from, more, renumber) => {
        const to = Math.min(40, from + more);
        const rows = without(chain, ...Array.from({ length: to - from + 1 }, (_, index) => from + index)).map(
          (other) => (renumber && other.id > to ? { ...other, id: other.id - (to - from + 1) } : other),
        );
        expect(kinds(rows, chain.head)).toEqual([`${from} deleted`]);
      }),
    );
  });

  it("a log that is empty although it had rows", () => {
    expect(kinds([], chain.head)).toEqual(["1 deleted"]);
    expect(kinds([], undefined)).toEqual(["1 deleted"]);
  });

  it("an inserted row, however it is made up, with the others renumbered", () => {
    fc.assert(
      fc.property(row, fc.constantFrom("nothing", "link", "copy"), (id, made) => {
        const before = id === 1 ? GENESIS : at(chain, id - 1).hash;
        const values = Array.from({ length: COLUMNS }, () => "forged");
        const forged = {
          nothing: { id, previousHash: null, hash: null, fields: values },
          link: { id, previousHash: before, hash: "0123", fields: values },
          copy: { ...at(chain, ((id + 19) % 40) + 1), id },
        }[made];
        const others = chain.rows.map((other) => (other.id >= id ? { ...other, id: other.id + 1 } : other));
        expect(kinds([...others, forged], chain.head)[0]).toBe(`${id} inserted`);
      }),
    );
  });

  it("a row put behind the last one, chained properly or not", () => {
    const values = Array.from({ length: COLUMNS }, () => "forged");
    const chained = hashOf(chain.head.hash, 41, values);
    for (const [previousHash, hash] of [
      [chain.head.hash, chained],
      [chain.head.hash, "0123"],
      [null, null],
    ] as const) {
      expect(kinds([...chain.rows, { id: 41, previousHash, hash, fields: values }], chain.head)).toEqual([
        "41 inserted",
      ]);
    }
  });

  it("two rows that changed places, near or far", () => {
    fc.assert(
      fc.property(row, row, fc.boolean(), (a, b, far) => {
        fc.pre(a !== b);
        const long = far ? chainOf(400) : chain;
        const [one, other] = far ? [a, b + 300] : [a, b];
        const rows = long.rows.map((moved) => {
          if (moved.id === one) return { ...moved, id: other };
          return moved.id === other ? { ...moved, id: one } : moved;
        });
        const named = check(rows, long.head).problems;
        expect(named.map(({ id }) => id)).toEqual(expect.arrayContaining([one, other]));
        expect(named.filter(({ id }) => id === one || id === other).map(({ kind }) => kind)).toEqual([
          "reordered",
          "reordered",
        ]);
      }),
    );
  });

  it("a second row behind the same one", () => {
    const values = Array.from({ length: COLUMNS }, () => "forged");
    const previousHash = at(chain, 39).hash;
    const forged = { id: 41, previousHash, hash: hashOf(previousHash, 41, values), fields: values };
    const found = check([...chain.rows, forged], { id: 41, hash: forged.hash, rows: 41 });
    expect(found.problems).toMatchObject([{ id: 41, kind: "forked" }]);
    expect(found.problems[0]?.message).toContain("rows 40 and 41 both follow row 39");
  });

  it("an end that was cut off together with the log's own note of it, and a chain that was written anew", () => {
    const anchor = { id: 40, hash: chain.head.hash };
    const cut = chainOf(30);
    expect(check(cut.rows, cut.head).problems).toEqual([]);
    expect(check(cut.rows, cut.head, [anchor]).problems).toMatchObject([{ id: 40, kind: "deleted" }]);
    const anew = chainOf(40, 1, GENESIS);
    const last = anew.rows.pop();
    const values = (last?.fields ?? []).with(0, "another");
    const hash = hashOf(last?.previousHash ?? null, 40, values);
    const rows = [...anew.rows, { id: 40, previousHash: last?.previousHash ?? null, hash, fields: values }];
    expect(check(rows, { id: 40, hash, rows: 40 }, [anchor]).problems).toMatchObject([{ id: 40, kind: "changed" }]);
  });

  it("a flood of changed rows is counted beyond what is explained", () => {
    const long = chainOf(3_000);
    const rows = long.rows.map((other) => ({ ...other, fields: other.fields.with(2, "another") }));
    const found = check(rows, long.head);
    expect(found.problems.length + found.omitted).toBe(3_000);
    expect(found.problems[0]).toMatchObject({ id: 1, kind: "changed" });
  });

  it("a first row that was given another beginning, and is named itself", () => {
    const unlinked = alter(alter(chain.rows, "unlink", 0, 0), "rehash", 0, 0);
    expect(check(unlinked, chain.head).problems[0]).toMatchObject({ id: 1, kind: "changed" });
  });

  it("of every kind, one on top of the other, never passes as valid", () => {
    const target = fc.nat(200);
    const operation = fc.record({
      what: fc.constantFrom("change", "rehash", "delete", "copy", "swap", "renumber", "unlink"),
      target,
      other: target,
    });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 5 }), (operations) => {
        let rows = [...chain.rows];
        for (const { what, target: first, other } of operations) {
          const [a, b] = [first % Math.max(rows.length, 1), other % Math.max(rows.length, 1)];
          rows = alter(rows, what, a, b);
        }
        rows.sort((a, b) => a.id - b.id);
        fc.pre(JSON.stringify(rows) !== JSON.stringify(chain.rows));
        const found = check(rows, chain.head);
        expect(found.problems).not.toEqual([]);
        const places = new Set([...chain.rows, ...rows].map((row) => row.id));
        for (const problem of found.problems) expect(places).toContain(problem.id);
      }),
      { numRuns: 1_000 },
    );
  });
});

function alter(rows: readonly ChainRow[], what: string, a: number, b: number): ChainRow[] {
  const [row, other] = [rows[a], rows[b]];
  if (!row || !other) return [...rows];
  const changed = { ...row, fields: row.fields.with(b % COLUMNS, "another") };
  switch (what) {
    case "change":
      return rows.with(a, changed);
    case "rehash":
      return rows.with(a, { ...changed, hash: hashOf(row.previousHash, row.id, changed.fields) });
    case "delete":
      return rows.toSpliced(a, 1);
    case "copy":
      return [...rows, { ...row, id: Math.max(...rows.map(({ id }) => id)) + 1 }];
    case "swap":
      return rows.with(a, { ...row, id: other.id }).with(b, { ...other, id: row.id });
    case "renumber":
      return rows.map((each) => (each.id >= row.id ? { ...each, id: each.id + 1 } : each));
    default:
      return rows.with(a, { ...row, previousHash: other.hash });
  }
}

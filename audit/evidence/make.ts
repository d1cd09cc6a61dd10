import type pg from "pg";
import type { Signer } from "../../core/dsse";
import type { ChainAnchor } from "../chain";
import { onSnapshot } from "../cursor";
import { verifyChain } from "../verify";
import { readAnchor } from "./anchor";
import { readPlaces } from "./anchoring";
import { writeBundle } from "./bundle";
import type { AnchorPlace } from "./places";
import { segmentSince } from "./segment";
import type { About } from "./verify";

/** What a bundle is made of, beside the log. */
export interface BundleInput {
  readonly about: Omit<About, "from" | "to" | "madeAt" | "chain" | "state" | "places">;
  readonly from: Date;
  readonly to: Date;
  readonly madeAt: Date;
  /** Rows whose hash the stack's state has. */
  readonly state: readonly ChainAnchor[];
  readonly places: Readonly<Record<string, AnchorPlace>>;
  readonly signer: Signer;
  /** More files by name, such as `config.json`. */
  readonly more: ReadonlyMap<string, Buffer>;
  /** Sees every file before it is signed. Throws if one must not leave. */
  readonly inspect: (files: ReadonlyMap<string, Buffer>) => void;
}

/** A bundle, and how much is in it. */
export interface MadeBundle {
  readonly tar: Buffer;
  readonly rows: number;
  /** How many anchors each place has. */
  readonly anchors: Readonly<Record<string, number>>;
  /** Places that could not be read, and why: the bundle says so too. */
  readonly failed: Readonly<Record<string, string>>;
}

/** Makes the bundle of the rows since a time. Needs SELECT alone. */
export async function makeBundle(client: pg.ClientBase, input: BundleInput): Promise<MadeBundle> {
  const { from, to, madeAt, signer, more } = input;
  const read = Object.entries(await readPlaces(input.places));
  const kept = read.flatMap(([name, place]) => ("lines" in place ? [{ name, lines: place.lines }] : []));
  const noted = [...kept.flatMap(({ lines }) => lines.flatMap(anchorIn)), ...input.state];
  const whole = await verifyChain(client, { anchors: noted });
  const { lines, start, head } = await onSnapshot(client, () => segmentSince(client, from));
  const files = new Map([
    ["rows.jsonl", asLines(lines)],
    ...more,
    ...kept.map((place) => [`anchors/${place.name}.jsonl`, asLines(place.lines)] as const),
  ]);
  input.inspect(files);
  const about: About = {
    ...input.about,
    from: from.toISOString(),
    to: to.toISOString(),
    madeAt: madeAt.toISOString(),
    chain: {
      start,
      head,
      guarded: whole.guarded,
      whole: { rows: whole.rows, problems: whole.problems.map(({ message }) => message) },
    },
    state: [...input.state],
    places: Object.fromEntries(read.map(([name, place]) => [name, "error" in place ? place.error : null])),
  };
  return {
    tar: await writeBundle(files, { about, signer, at: madeAt }),
    rows: lines.length,
    anchors: Object.fromEntries(kept.map((place) => [place.name, place.lines.length])),
    failed: Object.fromEntries(read.flatMap(([name, place]) => ("error" in place ? [[name, place.error]] : []))),
  };
}

function anchorIn(line: string): ChainAnchor[] {
  try {
    const { id, hash } = readAnchor(line).anchor;
    return [{ id, hash }];
  } catch {
    return [];
  }
}

const asLines = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(""));

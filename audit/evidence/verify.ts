import * as z from "zod";
import { type Envelope, type Statement, signerOf, stampedDigest, statementIn, type Verifier } from "../../core/dsse";
import { messageOf } from "../../core/errors";
import { GENESIS } from "../canonical";
import type { ChainAnchor } from "../chain";
import { ChainWalk } from "../chain-walk";
import { type KeptAnchor, readAnchor } from "./anchor";
import { approvalProblems } from "./approvals";
import { BUNDLE_TYPE, type Files, NoBundleError, readBundle, sha256 } from "./bundle";
import { readRows } from "./rows";

/** What a statement says of its bundle. */
const about = z.object({
  project: z.string(),
  stack: z.string(),
  environment: z.string(),
  from: z.string(),
  to: z.string(),
  madeAt: z.string(),
  madeBy: z.string(),
  /** The row before the first, and the log's own note of its end. */
  chain: z.object({
    start: z.object({ id: z.int(), hash: z.string() }),
    head: z.object({ id: z.int(), hash: z.string(), rows: z.int() }).nullable(),
    guarded: z.boolean(),
    /** What following the whole log found when the bundle was made. */
    whole: z.object({ rows: z.int(), problems: z.array(z.string()) }),
  }),
  /** Rows whose hash the stack's state has. */
  state: z.array(z.object({ id: z.int(), hash: z.string() })),
  /** The places of anchors by name; an error if one could not be read. */
  places: z.record(z.string(), z.string().nullable()),
});

export type About = z.output<typeof about>;

/** Something that is not as it was written. */
export interface BundleProblem {
  readonly where: "bundle" | "signature" | "files" | "chain" | "anchors" | "approvals";
  readonly message: string;
}

export interface BundleVerdict {
  /** Signed by a trusted key, complete, and every row as it was when it was noted outside of the database. */
  readonly valid: boolean;
  /** Whose key signed the bundle; undefined if it is none of the trusted ones. */
  readonly signedBy: string | undefined;
  readonly about: About | undefined;
  readonly rows: number;
  /** How many anchors there are, and the last row that one confirms; 0 if none does. */
  readonly anchors: number;
  readonly confirmedTo: number;
  readonly problems: readonly BundleProblem[];
  /** What the bundle cannot prove. */
  readonly notes: readonly string[];
}

/** When an authority that the verifier trusts stamped a digest; undefined if none did. */
export type StampedAt = (timestamp: string, digest: string) => Promise<Date | undefined>;

/** Verifies a bundle from its bytes and public keys alone: no network, no database, no state. */
export async function verifyBundle(tar: Buffer, verifier: Verifier, stampedAt?: StampedAt): Promise<BundleVerdict> {
  const problems: BundleProblem[] = [];
  const add = (where: BundleProblem["where"], message: string) => void problems.push({ where, message });
  const nothing = { signedBy: undefined, about: undefined, rows: 0, anchors: 0, confirmedTo: 0, notes: [] };
  let read: { envelope: Envelope; files: Files };
  try {
    read = await readBundle(tar);
  } catch (error) {
    if (!(error instanceof NoBundleError)) throw error;
    return { ...nothing, valid: false, problems: [{ where: "bundle", message: error.message }] };
  }
  const { envelope, files } = read;
  const signedBy = await signerOf(envelope, verifier);
  // What an unknown key says is not read on: every message would repeat what somebody else wrote.
  if (signedBy === undefined) {
    const message = `no signature is by a trusted key (the bundle names ${envelope.signatures.map(({ keyid }) => keyid).join(", ")})`;
    return { ...nothing, valid: false, problems: [{ where: "signature", message }] };
  }
  try {
    const statement = statementIn(envelope, BUNDLE_TYPE);
    const said = about.parse(statement.predicate);
    for (const message of filesProblems(statement, files)) add("files", message);
    const rows = readRows(textOf(files, "rows.jsonl"));
    const anchors = await anchorsIn(files, said, verifier, (message) => add("anchors", message));
    const notes = [
      ...checkRows(said, rows, anchors, add),
      ...(await stampNotes(anchors, stampedAt, (message) => add("anchors", message))),
    ];
    const approvals = linesOf(files.get("approvals.jsonl")?.toString("utf8") ?? "");
    const config = files.get("config.json")?.toString("utf8") ?? "{}";
    for (const message of await approvalProblems(rows, said.stack, config, approvals)) add("approvals", message);
    const confirmedTo = Math.max(0, ...anchors.map(({ anchor }) => anchor.id));
    const valid = problems.length === 0;
    return { valid, signedBy, about: said, rows: rows.length, anchors: anchors.length, confirmedTo, problems, notes };
  } catch (error) {
    add(
      "bundle",
      error instanceof z.ZodError ? "the statement is of another form than this version writes" : messageOf(error),
    );
    return { ...nothing, valid: false, signedBy, problems };
  }
}

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");

const textOf = (files: Files, name: string): string => {
  const found = files.get(name);
  if (found === undefined) throw new Error(`expected ${name}, found no such file`);
  return found.toString("utf8");
};

/** Each file that is missing, altered, or not in the statement. */
function filesProblems({ subject }: Statement, files: Files): string[] {
  const digests = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
  const names = new Set([...digests.keys(), ...files.keys()]);
  return [...names].flatMap((name) => {
    const [digest, bytes] = [digests.get(name), files.get(name)];
    if (digest === undefined) return [`${name} is not in the signed statement`];
    if (bytes === undefined) return [`${name} is missing`];
    return sha256(bytes) === digest ? [] : [`${name} was altered`];
  });
}

/** The anchors of all places, each once. */
async function anchorsIn(
  files: Files,
  { stack, places }: About,
  verifier: Verifier,
  add: (message: string) => void,
): Promise<KeptAnchor[]> {
  const bySequence = new Map<number, KeptAnchor>();
  const counts = new Map<string, Set<number>>();
  for (const [place, error] of Object.entries(places)) {
    if (error !== null) {
      add(`${place} could not be read when the bundle was made: ${error}`);
      continue;
    }
    const lines = linesOf(textOf(files, `anchors/${place}.jsonl`));
    const seen = new Set<number>();
    counts.set(place, seen);
    for (const [index, line] of lines.entries()) {
      const kept = readOrUndefined(line);
      if (kept === undefined) {
        add(`${place}: line ${index + 1} is no anchor`);
        continue;
      }
      const { anchor, digest } = kept;
      const which = `${place}: anchor ${anchor.sequence}`;
      if (anchor.stack !== stack) add(`${which} is of the stack ${anchor.stack}`);
      else if (seen.has(anchor.sequence)) add(`${which} occurs twice`);
      else if ((await signerOf(kept.envelope, verifier)) === undefined) add(`${which} is signed by no trusted key`);
      else {
        seen.add(anchor.sequence);
        const other = bySequence.get(anchor.sequence);
        if (other !== undefined && other.digest !== digest) add(`${which} is another one than that of another place`);
        bySequence.set(anchor.sequence, other ?? kept);
      }
    }
  }
  const anchors = [...bySequence.values()].sort((a, b) => a.anchor.sequence - b.anchor.sequence);
  for (const [place, seen] of counts) {
    const lacking = anchors.filter(({ anchor }) => !seen.has(anchor.sequence)).map(({ anchor }) => anchor.sequence);
    if (lacking.length > 0) add(`${place}: anchor ${lacking.join(", ")} is missing`);
  }
  for (const message of seriesProblems(anchors)) add(message);
  return anchors;
}

function readOrUndefined(line: string): KeptAnchor | undefined {
  try {
    return readAnchor(line);
  } catch {
    return undefined;
  }
}

/** Time stamps that are wrong are problems; those that nobody compares with an authority are noted. */
async function stampNotes(
  anchors: readonly KeptAnchor[],
  stampedAt: StampedAt | undefined,
  add: (message: string) => void,
): Promise<string[]> {
  const stamped = anchors.filter(({ envelope }) => envelope.timestamp !== undefined);
  if (stamped.length === 0) return [];
  if (stampedAt === undefined)
    return [`the time stamps of ${stamped.length} anchors were not compared with an authority`];
  for (const { anchor, envelope } of stamped) {
    const at = await stampedAt(envelope.timestamp ?? "", stampedDigest(envelope));
    if (at === undefined) add(`anchor ${anchor.sequence} has a time stamp that no trusted authority gave it`);
    else if (Math.abs(at.getTime() - Date.parse(anchor.at)) > SKEW)
      add(`anchor ${anchor.sequence} says ${anchor.at}, and was stamped on ${at.toISOString()}`);
  }
  return [];
}

/** How far the clocks of a run and of an authority may differ, milliseconds. */
const SKEW = 600_000;

/** Each anchor names the previous one. */
function seriesProblems(anchors: readonly KeptAnchor[]): string[] {
  return anchors.flatMap(({ anchor }, index) => {
    const before = anchors[index - 1];
    if (anchor.sequence !== (before?.anchor.sequence ?? 0) + 1)
      return [`the anchors before ${anchor.sequence} are missing`];
    return anchor.previous === (before?.digest ?? null) ? [] : [`anchor ${anchor.sequence} follows another anchor`];
  });
}

/** Follows the chain, and compares it with what was noted outside of the database. */
function checkRows(
  { chain: { start, head, guarded, whole }, state }: About,
  rows: ReturnType<typeof readRows>,
  anchors: readonly KeptAnchor[],
  add: (where: BundleProblem["where"], message: string) => void,
): string[] {
  const noted: ChainAnchor[] = [...anchors.map(({ anchor }) => anchor), ...state].map(({ id, hash }) => ({ id, hash }));
  if (start.id === 0 && start.hash !== GENESIS) add("chain", "the log has another beginning than a log has");
  if (noted.some(({ id, hash }) => id === start.id && hash !== start.hash))
    add("chain", `row ${start.id}, before the first, has another hash than the one noted outside`);
  for (const [id, hashes] of conflicts(noted)) add("anchors", `row ${id} was noted with ${hashes} different hashes`);
  const walk = new ChainWalk(
    noted.filter(({ id }) => id > start.id),
    start,
  );
  for (const row of rows) walk.push(row);
  const { problems, omitted } = walk.finish(head ?? undefined);
  const found = new Set([...problems.map(({ message }) => message), ...whole.problems]);
  for (const message of found) add("chain", message);
  if (omitted > 0) add("chain", `and ${omitted} more`);
  const confirmed = Math.max(0, ...anchors.map(({ anchor }) => anchor.id));
  const open = rows.filter(({ id }) => id > confirmed).length;
  return [
    ...(open === 0
      ? []
      : [
          `${open === 1 ? "1 row is" : `${open} rows are`} confirmed by no anchor: whoever could rewrite the whole log before this bundle was made could rewrite ${open === 1 ? "it" : "them"}`,
        ]),
    ...(start.id === 0 ? [] : [`rows up to ${start.id} are not in the bundle; a bundle of a longer time has them`]),
    ...(guarded ? [] : ["the triggers that refuse UPDATE, DELETE and TRUNCATE were not in force"]),
  ];
}

function conflicts(noted: readonly ChainAnchor[]): [number, number][] {
  const hashes = new Map<number, Set<string>>();
  for (const { id, hash } of noted) hashes.set(id, (hashes.get(id) ?? new Set()).add(hash));
  return [...hashes].flatMap(([id, found]): [number, number][] => (found.size > 1 ? [[id, found.size]] : []));
}

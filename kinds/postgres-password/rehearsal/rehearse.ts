import type { Duplex } from "node:stream";
import { pipeHere, type RunScript, shellHere } from "../../../clients/shell";
import { type Reach, withHost } from "../../../clients/ssh";
import { messageOf, StepError } from "../../../core/errors";
import type { RehearsalRow } from "../../../core/rehearsal";
import { quoted } from "../../../core/shell-word";
import type { Place, Reader } from "../../own-password/place";
import { readerName } from "../../own-password/readers";
import { Comparison } from "./compare";
import type { Rehearsal } from "./input";
import { overWay } from "./over-way";
import { readStore } from "./store";
import { type Way, waysOf } from "./ways";

/** A place where readers run, as this program reaches it. */
export interface Standpoint {
  /** Undefined: this machine. */
  readonly reach: Reach | undefined;
  readonly run: RunScript;
}

/** How a reader's connections begin; undefined: from this machine. */
export function dialOf({ relay }: Reader, { reach }: Standpoint): ((way: Way) => Promise<Duplex>) | undefined {
  if (relay === undefined) return reach && ((way) => reach.dial(way.host, way.port));
  const command = ({ host, port }: Way) => relay.replaceAll("{host}", host).replaceAll("{port}", String(port));
  return async (way) => (reach === undefined ? pipeHere(command(way)) : reach.pipe(command(way)));
}

/** Hosts that are tried at once. The login itself is used by one session at a time where its role has a connection limit. */
const AT_ONCE = 8;

/** Milliseconds. */
const LIMIT = 15_000;

/**
 * Logs in from where each reader is and over each of its paths, and compares a session of the new login with one of the login
 * in use. Changes nothing. A row for each reader and path.
 */
export async function rehearse(given: Rehearsal): Promise<RehearsalRow[]> {
  const comparison = new Comparison(given);
  const limited = await comparison.isLimited();
  const rows = await inTurns(given.places, limited ? 1 : AT_ONCE, (place) => atPlace(place, given, comparison));
  return [...rows.flat(), ...(await comparison.rows())];
}

async function atPlace(place: Place, given: Rehearsal, comparison: Comparison): Promise<RehearsalRow[]> {
  const { host, readers } = place;
  const all = (at: Standpoint) => inTurns(readers, 1, (reader) => ofReader(reader, at, place, given, comparison));
  if (host === undefined) return (await all({ reach: undefined, run: shellHere() })).flat();
  try {
    const use = (run: RunScript, reach: Reach) => all({ run, reach });
    return (await withHost(host.name, host, given.privateKey, use, 3)).flat();
  } catch (error) {
    return readers.map((reader) => ({
      ...{ reader: readerName(reader, host.name), path: "ssh", verdict: "differs" as const },
      ...{ login: messageOf(error), rights: "", store: "" },
    }));
  }
}

async function ofReader(
  reader: Reader,
  at: Standpoint,
  { host }: Place,
  given: Rehearsal,
  comparison: Comparison,
): Promise<RehearsalRow[]> {
  const name = readerName(reader, host?.name);
  const rows: RehearsalRow[] = [];
  try {
    const trust = await trustOf(reader, at);
    for (const way of waysOf(given, reader, trust)) {
      rows.push({ reader: name, ...(await overWay(way, dialOf(reader, at), given, comparison)) });
    }
  } catch (error) {
    rows.push({ reader: name, path: "-", verdict: "differs", login: messageOf(error), rights: "", store: "" });
  }
  return [...withoutWay(rows), ...(await readStore(name, reader, at.run, given))];
}

/** A reader whose services work, and that gets to the database by none of the paths, has one that nobody knows here. */
function withoutWay(rows: readonly RehearsalRow[]): RehearsalRow[] {
  if (!rows.every(({ verdict }) => verdict === "no way")) return [...rows];
  const hint = "; its services go another way: say which in `connects`";
  return rows.map((row) => ({ ...row, verdict: "unseen" as const, login: `${row.login}${hint}` }));
}

/** The authorities that services trust where they run. */
export async function trustOf({ sslrootcert }: Reader, { run, reach }: Standpoint): Promise<string | undefined> {
  if (sslrootcert === undefined) return undefined;
  const { status, output } = await run(`cat ${quoted(sslrootcert)}`, LIMIT);
  if (status === 0 && output.includes("-----BEGIN CERTIFICATE-----")) return output;
  const where = reach === undefined ? "this machine" : "the host";
  throw new StepError(`${sslrootcert} on ${where} holds no certificate: ${output.trim().slice(0, 200)}`);
}

/** In order, so many at once. */
async function inTurns<T, R>(items: readonly T[], most: number, use: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const turns = items.entries();
  const worker = async () => {
    for (const [index, item] of turns) results[index] = await use(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}

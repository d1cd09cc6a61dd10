import type pg from "pg";
import { type Signer, stampedDigest } from "../../core/dsse";
import { messageOf } from "../../core/errors";
import { AuditLogError } from "../errors";
import { type KeptAnchor, readAnchor, sealAnchor } from "./anchor";
import type { AnchorPlace } from "./places";

/** What {@link anchorHead} did. */
export interface Anchored {
  /** The newest anchor; undefined if the log has no row. */
  readonly newest: KeptAnchor | undefined;
  /** Whether it is new. */
  readonly added: boolean;
  /** Places that did not take an anchor, and why. The next call gives it to them. */
  readonly failed: Readonly<Record<string, string>>;
}

/** What {@link anchorHead} works with. */
export interface Anchoring {
  readonly stack: string;
  readonly signer: Signer;
  readonly places: Readonly<Record<string, AnchorPlace>>;
  readonly now: Date;
  /** An authority's time stamp over a digest, in base64. Default: none. */
  readonly stamp?: (digest: string) => Promise<string>;
}

/** The lines that a place has, or why it cannot be read. */
type Read = { readonly lines: readonly string[] } | { readonly error: string };

type Kept = { readonly kept: readonly KeptAnchor[] } | { readonly error: string };

/**
 * Notes the end of the log in every place, unless they have it. A place that lacks earlier anchors gets them.
 *
 * @throws AuditLogError if the log no longer has the row that was noted last, or the places contradict each other: then
 * nothing is noted, since an anchor would confirm what was tampered with
 */
export async function anchorHead(
  client: pg.ClientBase,
  { stack, signer, places, now, stamp }: Anchoring,
): Promise<Anchored> {
  const read = keptIn(await readPlaces(places));
  const known = unionOf(read);
  const last = known.at(-1);
  await assertStillThere(client, last);
  const head = await headOf(client);
  const failed = failuresOf(read);
  const nobody = Object.values(read).every((place) => "error" in place);
  // Without the previous anchors a new one would begin a second series.
  if (head === undefined || nobody) return { newest: last, added: false, failed };
  const isNew = last?.anchor.id !== head.id;
  const about = { stack, at: now.toISOString(), ...head };
  const wanted = isNew ? [...known, await stamped(await next(last, about, signer), stamp, failed)] : known;
  for (const [name, place] of Object.entries(read)) {
    if ("error" in place) continue;
    const has = new Set(place.kept.map(({ anchor }) => anchor.sequence));
    try {
      for (const { anchor, line } of wanted)
        if (!has.has(anchor.sequence)) await places[name]?.keep(anchor.sequence, line);
    } catch (error) {
      failed[name] = messageOf(error);
    }
  }
  return { newest: wanted.at(-1), added: isNew, failed };
}

/** How much of the log is noted outside of the database. */
export interface Countersigned {
  /** The last row that an anchor confirms; 0 if there is none. */
  readonly to: number;
  /** Later rows: whoever rewrites these is not found. */
  readonly open: number;
  /** Places that could not be read, and why. */
  readonly failed: Readonly<Record<string, string>>;
}

/** {@link Countersigned}, and the command that notes the rest. */
export type CountersignedBy = Countersigned & { readonly command: string };

/** Reads how far the anchors of all places reach. */
export async function countersigned(
  client: pg.ClientBase,
  places: Readonly<Record<string, AnchorPlace>>,
): Promise<Countersigned> {
  const read = keptIn(await readPlaces(places));
  const ids = Object.values(read).flatMap((place) =>
    "kept" in place ? place.kept.map(({ anchor }) => anchor.id) : [],
  );
  const to = Math.max(0, ...ids);
  const { rows } = await client.query<{ open: string }>(
    "SELECT count(*) AS open FROM secret_rotation_log WHERE id > $1",
    [to],
  );
  return { to, open: Number(rows[0]?.open ?? 0), failed: failuresOf(read) };
}

const failuresOf = (read: Readonly<Record<string, Kept>>): Record<string, string> =>
  Object.fromEntries(Object.entries(read).flatMap(([name, place]) => ("error" in place ? [[name, place.error]] : [])));

/** Every anchor of every place. */
export async function readPlaces(places: Readonly<Record<string, AnchorPlace>>): Promise<Record<string, Read>> {
  const all = Object.entries(places).map(async ([name, place]): Promise<[string, Read]> => {
    try {
      return [name, { lines: await place.list() }];
    } catch (error) {
      return [name, { error: messageOf(error) }];
    }
  });
  return Object.fromEntries(await Promise.all(all));
}

/** @returns an error for a place that has something else than anchors */
function keptIn(read: Readonly<Record<string, Read>>): Record<string, Kept> {
  const each = Object.entries(read).map(([name, place]): [string, Kept] => {
    if ("error" in place) return [name, place];
    try {
      return [name, { kept: place.lines.map(readAnchor) }];
    } catch {
      return [name, { error: "it has a line that is no anchor" }];
    }
  });
  return Object.fromEntries(each);
}

function unionOf(read: Readonly<Record<string, Kept>>): KeptAnchor[] {
  const bySequence = new Map<number, KeptAnchor & { readonly place: string }>();
  for (const [place, found] of Object.entries(read)) {
    for (const kept of "kept" in found ? found.kept : []) {
      const { sequence } = kept.anchor;
      const other = bySequence.get(sequence);
      if (other !== undefined && other.digest !== kept.digest)
        throw new AuditLogError(
          `anchor ${sequence} of ${other.place} is another one than that of ${place}: ${TAMPERED}`,
        );
      bySequence.set(sequence, other ?? { ...kept, place });
    }
  }
  return [...bySequence.values()].sort((a, b) => a.anchor.sequence - b.anchor.sequence);
}

const next = async (
  last: KeptAnchor | undefined,
  about: { stack: string; at: string; id: number; hash: string },
  signer: Signer,
): Promise<KeptAnchor> =>
  readAnchor(
    await sealAnchor({ ...about, sequence: (last?.anchor.sequence ?? 0) + 1, previous: last?.digest ?? null }, signer),
  );

/** An authority that does not answer keeps no anchor from being noted. */
async function stamped(
  kept: KeptAnchor,
  stamp: Anchoring["stamp"],
  failed: Record<string, string>,
): Promise<KeptAnchor> {
  if (stamp === undefined) return kept;
  try {
    const timestamp = await stamp(stampedDigest(kept.envelope));
    return readAnchor(JSON.stringify({ ...kept.envelope, timestamp }));
  } catch (error) {
    failed["the time stamp"] = messageOf(error);
    return kept;
  }
}

async function headOf(client: pg.ClientBase): Promise<{ id: number; hash: string } | undefined> {
  const { rows } = await client.query<{ id: string; hash: string }>(
    "SELECT id, hash FROM secret_rotation_log ORDER BY id DESC LIMIT 1",
  );
  return rows[0] && { id: Number(rows[0].id), hash: rows[0].hash };
}

const TAMPERED = "one of them was tampered with. Keep both: a bundle of evidence holds them";

async function assertStillThere(client: pg.ClientBase, last: KeptAnchor | undefined): Promise<void> {
  if (last === undefined) return;
  const { id, hash, at } = last.anchor;
  const { rows } = await client.query<{ hash: string | null; later: boolean }>(
    "SELECT (SELECT hash FROM secret_rotation_log WHERE id = $1) AS hash, EXISTS (SELECT FROM secret_rotation_log WHERE id > $1) AS later",
    [id],
  );
  const [found] = rows;
  // The oldest rows leave by retention, and rows of later than that are there then.
  if (found?.hash === hash || (found?.hash === null && found.later)) return;
  const what = found?.hash === null ? "is missing" : "has another hash";
  throw new AuditLogError(
    `row ${id}, which was noted on ${at}, ${what}: the log or the anchor was tampered with. See \`rotation audit verify\``,
  );
}

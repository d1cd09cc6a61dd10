import type { Duplex } from "node:stream";
import { connect as secured } from "node:tls";
import { within } from "../../clients/poll";
import { pipeHere } from "../../clients/shell";
import { type Reach, withHost } from "../../clients/ssh";
import { messageOf } from "../../core/errors";
import type { RehearsalRow } from "../../core/rehearsal";
import type { Place, Reader } from "../own-password/place";
import { readerName } from "../own-password/readers";
import { trustOf, tryNode } from "./connection";
import type { RedisReference } from "./reference";
import type { RedisRehearsal } from "./rehearsal-input";
import { placeOf } from "./schema";

/** Milliseconds for one login. */
const LIMIT = 10_000;

/** The passwords that are tried. */
interface Passwords {
  readonly next: string;
  /** The one in use: what services can do now. Undefined: `next` is in use. */
  readonly inUse: string | undefined;
}

/**
 * Logs in from where each service is, to every server. A new password that is refused where the one in use is taken leads to
 * a server that the config does not name: a name that the host resolves otherwise, a proxy. A row for each reader and server.
 */
export async function rehearse(
  redis: RedisReference,
  { places, privateKey }: Omit<RedisRehearsal, "strict">,
  passwords: Passwords,
): Promise<RehearsalRow[]> {
  const all = await Promise.all(places.map((place) => atPlace(redis, place, privateKey, passwords)));
  return all.flat();
}

async function atPlace(
  redis: RedisReference,
  { host, readers }: Place,
  key: RedisRehearsal["privateKey"],
  passwords: Passwords,
): Promise<RehearsalRow[]> {
  const all = async (reach: Reach | undefined) => {
    const rows: RehearsalRow[] = [];
    for (const reader of readers)
      for (const node of redis.nodes) rows.push(await row(redis, node, { reader, host: host?.name, reach }, passwords));
    return rows;
  };
  if (host === undefined) return all(undefined);
  try {
    return await withHost(host.name, host, key, (_run, reach) => all(reach), 3);
  } catch (error) {
    return readers.map((reader) => ({
      ...{ reader: readerName(reader, host.name), path: "ssh", verdict: "differs" as const },
      ...{ login: messageOf(error), rights: "", store: "" },
    }));
  }
}

interface Standpoint {
  readonly reader: Reader;
  readonly host: string | undefined;
  /** Undefined: this machine. */
  readonly reach: Reach | undefined;
}

async function row(
  redis: RedisReference,
  node: string,
  at: Standpoint,
  { next, inUse }: Passwords,
): Promise<RehearsalRow> {
  const about = { reader: readerName(at.reader, at.host), path: node, rights: "", store: "" };
  const found = await tryFrom(redis, node, at, next);
  if (found.outcome === "works") return { ...about, verdict: "ok", login: found.evidence };
  const now = inUse === undefined ? found : await tryFrom(redis, node, at, inUse);
  if (now.outcome !== "works") return { ...about, verdict: "unseen", login: now.evidence };
  return { ...about, verdict: "differs", login: `${found.evidence}, and the password in use is taken there` };
}

type Tried = Awaited<ReturnType<typeof tryNode>>;

/** {@link tryNode} from where a reader is. Never throws. */
async function tryFrom(redis: RedisReference, node: string, at: Standpoint, password: string): Promise<Tried> {
  const dial = dialOf(at);
  if (dial === undefined) return tryNode(redis, node, password);
  const { host, port } = placeOf(node);
  let stream: Duplex | undefined;
  try {
    stream = await dial(host, port);
    const plain = redis.tls.mode === "disable" ? stream : secured({ socket: stream, ...trustOf(redis.tls, host) });
    const line = await within(LIMIT, authenticate(plain, redis.user, password), () => new Error("no answer"));
    if (line.startsWith("+OK")) return { outcome: "works", evidence: `${redis.user} logs in` };
    return { outcome: "refused", evidence: `${redis.user} cannot log in: ${line.slice(1)}` };
  } catch (error) {
    return { outcome: "unknown", evidence: `no way to ${node}: ${messageOf(error)}` };
  } finally {
    stream?.destroy();
  }
}

/** How a reader's connections begin; undefined: from this machine. */
function dialOf({
  reader: { relay },
  reach,
}: Standpoint): ((host: string, port: number) => Promise<Duplex>) | undefined {
  if (relay === undefined) return reach && ((host, port) => reach.dial(host, port));
  const command = (host: string, port: number) => relay.replaceAll("{host}", host).replaceAll("{port}", String(port));
  return async (host, port) => (reach === undefined ? pipeHere(command(host, port)) : reach.pipe(command(host, port)));
}

/** Sends AUTH over a stream, which the client library takes none of, and resolves with the line that is answered. */
function authenticate(stream: Duplex, user: string, password: string): Promise<string> {
  const parts = ["AUTH", user, password].map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return new Promise((resolve, reject) => {
    let answer = "";
    stream.on("error", reject).on("close", () => reject(new Error("the connection ended")));
    stream.on("data", (data: Buffer) => {
      answer += data.toString("utf8");
      const end = answer.indexOf("\r\n");
      if (end >= 0) resolve(answer.slice(0, end));
    });
    stream.write(`*${parts.length}\r\n${parts.join("")}`);
  });
}

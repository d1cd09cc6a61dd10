import { connect, createServer, type Socket } from "node:net";
import type { EffectGate } from "./gate";

/** A PostgreSQL server as the pipeline reaches it. */
export interface PostgresProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Passes PostgreSQL's protocol on, through the gate where a statement changes something. Without TLS.
 *
 * @param past logins that go past the gate: those of others who reach the server by the same address, such as Vault's
 */
export function startPostgresProxy(
  target: { host: string; port: number },
  gate: EffectGate,
  past: readonly string[] = [],
): Promise<PostgresProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    }
    new Session(client, upstream, gate, past).start();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address ? address.port : 0,
        stop: () =>
          new Promise((done) => {
            server.close(() => done());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

interface Frame {
  /** The message's letter; empty for the first, which has none. */
  readonly type: string;
  readonly bytes: Buffer;
}

/** One connection, whose messages are passed on one after the other. */
class Session {
  private readonly asked = new Frames(true);
  private readonly answered = new Frames(false);
  private queue: Promise<void> = Promise.resolve();
  /** Messages of an extended query that changes something, up to its Sync. */
  private extended: { effect: string; frames: Frame[] } | undefined;
  /** What was changed in the open transaction; undefined outside of one. */
  private transaction: string[] | undefined;
  /** Answers that are kept back while an effect is under way. */
  private kept: Buffer[] | undefined;
  private ready: (() => void) | undefined;
  /** Whether the login goes past the gate, as its first message says. */
  private isPast = false;

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    private readonly gate: EffectGate,
    private readonly past: readonly string[],
  ) {}

  start(): void {
    const { client, upstream } = this;
    client.on("data", (chunk: Buffer) => {
      for (const frame of this.asked.take(chunk)) {
        this.queue = this.queue.then(() => this.pass(frame)).catch(() => this.end());
      }
    });
    upstream.on("data", (chunk: Buffer) => {
      if (this.kept === undefined) client.write(chunk);
      else this.kept.push(chunk);
      if (this.answered.take(chunk).some(({ type }) => type === "Z")) this.ready?.();
    });
    client.on("close", () => upstream.end());
    upstream.on("close", () => {
      this.ready?.();
      client.end();
    });
  }

  private end(): void {
    this.client.destroy();
    this.upstream.destroy();
  }

  private async pass(frame: Frame): Promise<void> {
    if (this.extended !== undefined) {
      this.extended.frames.push(frame);
      if (frame.type !== "S") return;
      const { effect, frames } = this.extended;
      this.extended = undefined;
      return this.carryOut(effect, frames);
    }
    const effect = this.effectOf(frame);
    if (effect === undefined) this.upstream.write(frame.bytes);
    else if (frame.type === "P") this.extended = { effect, frames: [frame] };
    else await this.carryOut(effect, [frame]);
  }

  /** Sends the messages, and has the answers kept back until the gate lets them pass. */
  private async carryOut(effect: string, frames: readonly Frame[]): Promise<void> {
    const act = async () => {
      this.kept = [];
      const answered = new Promise<void>((resolve) => {
        this.ready = resolve;
      });
      this.upstream.write(Buffer.concat(frames.map(({ bytes }) => bytes)));
      await answered;
    };
    await this.gate.around(effect, act, () => !this.client.destroyed);
    for (const chunk of this.kept ?? []) this.client.write(chunk);
    this.kept = undefined;
  }

  private effectOf(frame: Frame): string | undefined {
    if (frame.type === "") this.isPast = this.past.includes(userOf(frame));
    if (this.isPast) return undefined;
    const sql = statementOf(frame);
    if (sql === undefined) return undefined;
    if (/^(BEGIN|START TRANSACTION)\b/i.test(sql)) this.transaction = [];
    const change = changeOf(sql);
    if (change !== undefined) {
      this.transaction?.push(change);
      return this.transaction === undefined ? `postgres: ${change}` : `postgres: ${change}, not committed`;
    }
    if (!/^(COMMIT|END|ROLLBACK|ABORT)\b/i.test(sql)) return undefined;
    const [first] = this.transaction ?? [];
    this.transaction = undefined;
    return first === undefined || !/^(COMMIT|END)/i.test(sql) ? undefined : `postgres: ${first}, COMMIT`;
  }
}

/** Who logs in, from the first message: after length and version come names and values. */
function userOf({ bytes }: Frame): string {
  const words = bytes.toString("utf8", 8).split("\0");
  return words[words.indexOf("user") + 1] ?? "";
}

/** The SQL of a simple query or of a statement to be parsed. */
function statementOf({ type, bytes }: Frame): string | undefined {
  if (type === "Q") return bytes.toString("utf8", 5, bytes.length - 1).trim();
  if (type !== "P") return undefined;
  const begin = bytes.indexOf(0, 5) + 1;
  return bytes.toString("utf8", begin, bytes.indexOf(0, begin)).trim();
}

const CHANGES = /^(ALTER|COMMENT|CREATE|DROP|GRANT|REVOKE|INSERT|UPDATE|DELETE|TRUNCATE|DO)\b/i;

/** The first words of a statement that changes something: never a value. The two login roles count as one. */
function changeOf(sql: string): string | undefined {
  // A migration is several statements in one message, with comments between.
  const plain = sql.replace(/^(\s*(--[^\n]*\n|;))*\s*/, "");
  if (!CHANGES.test(plain)) return undefined;
  const words = /^[a-z]+( [a-z]+)* "?[\w$.]+"?/i.exec(plain)?.[0] ?? plain.split(/\s/, 1)[0];
  return words?.replaceAll('"', "").replace(/_[ab]\b/, "_*");
}

/** Cuts a stream into messages. */
class Frames {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private first: boolean) {}

  take(chunk: Buffer): Frame[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const head = this.first ? 0 : 1;
      if (this.rest.length < head + 4) return frames;
      const length = head + this.rest.readInt32BE(head);
      if (this.rest.length < length) return frames;
      const bytes = this.rest.subarray(0, length);
      frames.push({ type: this.first ? "" : bytes.toString("latin1", 0, 1), bytes });
      this.rest = this.rest.subarray(length);
      this.first = false;
    }
  }
}

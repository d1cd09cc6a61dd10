import { createConnection, createServer, type Server, type Socket } from "node:net";
import { poll } from "./poll";

/** How connections fail until it is ended. */
export type TcpFault =
  /** Nobody listens. Connections that are open are cut. */
  | "refuse"
  /** Taken, and then never a word. Those that are open fall silent too. */
  | "hang"
  /** Cut as soon as they are made, and those that are open. */
  | "cut"
  /** Every answer so many milliseconds later. */
  | { readonly delayMs: number };

/** Looks at what a client sends. */
export interface Watch {
  /** Whether this triggers the fault; receives what one connection has sent lately, as text. */
  readonly when: (sent: string) => boolean;
  /** Done once, before it is passed on. */
  readonly run: () => unknown;
}

/** How many connections were cut. */
export interface Drops {
  readonly count: number;
}

/** A TCP server on loopback that forwards everything to another one, except for the faults that are set. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** Lets connections fail from now on; `undefined` ends it. */
  setFault(fault: TcpFault | undefined): Promise<void>;
  /** Does something right before what a client sends reaches the server; replaces an earlier watch. */
  watch(watch: Watch | undefined): void;
  /** Cuts the next `times` connections whose first words hold a text. An earlier one that is not through goes on too. */
  drop(text: string, times: number): Drops;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";

/** How much of the sent data is searched at once. */
const WINDOW = 4096;

/** @param target host and port of the server, which may be down. */
export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const proxy = new FaultyRelay(target);
  const port = await proxy.listen(0);
  return {
    host: HOST,
    port,
    setFault: (fault) => proxy.setFault(fault, port),
    watch: (watch) => {
      proxy.watched = watch;
    },
    drop: (text, times) => proxy.drop(text, times),
    stop: () => proxy.close(),
  };
}

class FaultyRelay {
  watched: Watch | undefined;
  private fault: TcpFault | undefined;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly dropping: { readonly text: string; left: number; count: number }[] = [];

  constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  listen(port: number): Promise<number> {
    const server = createServer((client) => this.connect(client));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, HOST, () => {
        this.server = server;
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : port);
      });
    });
  }

  drop(text: string, times: number): Drops {
    const drops = { text, left: times, count: 0 };
    this.dropping.push(drops);
    return drops;
  }

  async setFault(fault: TcpFault | undefined, port: number): Promise<void> {
    this.fault = fault;
    if (fault === "refuse") return this.close();
    if (fault === "cut") this.cut();
    // Another process may have had the port for a moment, as the near end of a connection.
    if (this.server === undefined) await poll(() => this.listen(port), { what: `port ${port}`, limitMs: 60_000 });
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    const closed = new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    this.cut();
    await closed;
  }

  private cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private connect(client: Socket): void {
    this.track(client);
    if (this.fault === "cut") return void client.destroy();
    const server = this.track(createConnection(this.target));
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
    void this.pass(client, server, true);
    void this.pass(server, client, false);
  }

  private track(socket: Socket): Socket {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    return socket;
  }

  private async pass(from: Socket, to: Socket, asks: boolean): Promise<void> {
    let sent = "";
    try {
      for await (const chunk of from) {
        if (asks) {
          const isFirst = sent === "";
          sent = (sent + chunk.toString("latin1")).slice(-WINDOW);
          const dropped = isFirst ? this.dropping.find(({ text, left }) => left > 0 && sent.includes(text)) : undefined;
          if (dropped !== undefined) {
            dropped.left -= 1;
            dropped.count += 1;
            from.destroy();
            return;
          }
          await this.look(sent);
        }
        // What fell silent stays so: neither end hears of the other again.
        if (this.fault === "hang") await new Promise((resolve) => from.once("close", resolve));
        if (!asks && typeof this.fault === "object") await new Promise((done) => setTimeout(done, this.delay()));
        if (!to.write(chunk)) await new Promise((resolve) => to.once("drain", resolve).once("close", resolve));
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  private delay(): number {
    return typeof this.fault === "object" ? this.fault.delayMs : 0;
  }

  private async look(sent: string): Promise<void> {
    const { watched } = this;
    if (watched === undefined || !watched.when(sent)) return;
    this.watched = undefined;
    await watched.run();
  }
}

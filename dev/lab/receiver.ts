import type { IncomingHttpHeaders } from "node:http";
import { type HttpServer, readBody, startHttp } from "./http";
import { poll } from "./poll";

/** How the receiver fails: with these answers in their order (then it is fine again), or by never answering. */
export type ReceiverFault = { readonly statuses: number[] } | { readonly hangs: true };

/** A request that arrived, whatever it was answered. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly status: number;
}

/** A receiver of webhooks. */
export interface Receiver {
  readonly url: string;
  /** All that arrived, oldest first. */
  requests(): readonly Received[];
  /** The bodies that it took, oldest first. */
  taken<T>(): T[];
  setFault(fault: ReceiverFault | undefined): void;
  /** Ends it, so that connections are refused. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
}

/** Starts a receiver that answers 204. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let fault: ReceiverFault | undefined;
  const listen = (port?: number) =>
    startHttp(async (request, response) => {
      const text = await readBody(request);
      if (fault !== undefined && "hangs" in fault) return;
      const status = fault?.statuses.shift() ?? 204;
      received.push({ headers: request.headers, text, status });
      response.writeHead(status).end();
    }, port);
  let server: HttpServer = await listen();
  const { port, url } = server;
  return {
    url: `${url}/hooks/rotation`,
    requests: () => received,
    taken: <T>() => received.filter(({ status }) => status < 300).map(({ text }) => JSON.parse(text) as T),
    setFault: (next) => {
      fault = next;
    },
    stop: () => server.stop(),
    restart: async () => {
      // A connection of another process may have the port for a moment.
      const again = () => listen(port).catch(() => undefined);
      server = await poll(again, { what: `the port ${port} to be free`, limitMs: 60_000 });
    },
  };
}

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";

/** A loopback HTTP server that can be ended at once, requests under way included. */
export interface HttpServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1, or the given one. */
export function startHttp(listener: RequestListener, port = 0): Promise<HttpServer> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer(listener);
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const listening = typeof address === "object" && address ? address.port : port;
      resolve({
        url: `http://127.0.0.1:${listening}`,
        port: listening,
        stop: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}

/** The body of a request, at most 1 MB of it. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > 1_000_000) throw new Error("request body over 1 MB");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

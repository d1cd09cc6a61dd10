import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { type HttpServer, startHttp } from "../../dev/lab/http";
import type { EffectGate } from "./gate";

/** A request as its name is made from. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a request does to the outside world, in words without a value; undefined where it only reads. */
export type NameEffect = (asked: Asked) => string | undefined;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Passes HTTP on to `target`, through the gate where a request has an effect. */
export function startHttpProxy(target: string, gate: EffectGate, nameEffect: NameEffect): Promise<HttpServer> {
  return startHttp((request, response) => {
    pass(target, gate, nameEffect, request, response).catch(() => request.socket.destroy());
  });
}

async function pass(
  target: string,
  gate: EffectGate,
  nameEffect: NameEffect,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url: path = "/", headers } = request;
  const body = Buffer.concat((await request.toArray()) as Buffer[]);
  const effect = nameEffect({ method, path, headers, body: body.toString("utf8") });
  const forward = () => ask(new URL(path, target), method, headers, body);
  const isAlive = () => !request.socket.destroyed;
  const answer = effect === undefined ? await forward() : await gate.around(effect, forward, isAlive);
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

/** As it came and as it is answered: `fetch` would unpack the one and add to the other. */
function ask(url: URL, method: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
  const { connection: _, "transfer-encoding": __, ...kept } = headers;
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers: { ...kept, "content-length": body.length } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const { connection: _c, "transfer-encoding": _t, ...answered } = incoming.headers;
        resolve({ status: incoming.statusCode ?? 502, headers: answered, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

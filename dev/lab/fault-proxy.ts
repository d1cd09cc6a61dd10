import { request as forward, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { readBody, startHttp } from "./http";
import { pause } from "./poll";

/** A request to the proxy, without its body, which may hold a secret. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What happens to a request before, or instead of, forwarding it. */
export type Fault =
  /** This answer, without forwarding the request. */
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: string }
  /** The connection breaks: at once, or after the server has done its work, so that only the answer is lost. */
  | { readonly drop: "request" | "answer" }
  /** The server's own answer, so many milliseconds later. */
  | { readonly delayMs: number }
  /** Done first, such as sealing the server; then the request is forwarded. */
  | { readonly first: () => Promise<unknown> };

/** A fault and the requests that it affects. */
export interface FaultRule {
  /** Whether it affects this request; every one by default. */
  readonly when?: (request: ProxiedRequest, body: string) => boolean;
  /** How many requests it lets through first; 0 by default. */
  readonly after?: number;
  /** How many requests it affects; all by default. */
  readonly times?: number;
  readonly fault: Fault;
}

/** An HTTP server on loopback that forwards everything to another one, except for the faults that are set. */
export interface FaultProxy {
  /** `http://127.0.0.1:PORT`, to be named instead of the server's. */
  readonly url: string;
  /** Every request so far, also those that a fault affected. */
  readonly requests: readonly ProxiedRequest[];
  /** Adds a rule; the first that matches a request wins. Returns how often it has matched. */
  inject(rule: FaultRule): { met(): number };
  /** Forgets every rule. */
  clear(): void;
  stop(): Promise<void>;
}

interface ActiveRule extends FaultRule {
  seen: number;
  met: number;
}

/** @param target `http://HOST:PORT` of the server, which may be down. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const rules: ActiveRule[] = [];
  const requests: ProxiedRequest[] = [];
  const { url, stop } = await startHttp(async (request, response) => {
    try {
      const body = await readBody(request);
      const asked = { method: request.method ?? "GET", path: request.url ?? "/", headers: request.headers };
      requests.push(asked);
      await respond(new URL(target), asked, body, response, faultFor(rules, asked, body));
    } catch {
      // The client is gone, or the server is: as if there were no proxy, it sees a broken connection.
      response.destroy();
    }
  });
  return {
    url,
    requests,
    stop,
    inject: (rule) => {
      const active = { ...rule, seen: 0, met: 0 };
      rules.push(active);
      return { met: () => active.met };
    },
    clear: () => void rules.splice(0),
  };
}

function faultFor(rules: readonly ActiveRule[], request: ProxiedRequest, body: string): Fault | undefined {
  for (const rule of rules) {
    if (rule.when !== undefined && !rule.when(request, body)) continue;
    rule.seen += 1;
    if (rule.seen <= (rule.after ?? 0) || rule.met >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
    rule.met += 1;
    return rule.fault;
  }
  return undefined;
}

async function respond(
  target: URL,
  request: ProxiedRequest,
  body: string,
  response: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault !== undefined && "status" in fault) {
    response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
    return;
  }
  if (fault !== undefined && "drop" in fault && fault.drop === "request") {
    response.destroy();
    return;
  }
  if (fault !== undefined && "delayMs" in fault) await pause(fault.delayMs);
  if (fault !== undefined && "first" in fault) await fault.first();
  const answer = await ask(target, request, body);
  if (fault !== undefined && "drop" in fault) {
    answer.resume();
    response.destroy();
    return;
  }
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, response);
}

function ask({ hostname, port }: URL, { method, path, headers }: ProxiedRequest, body: string) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const options = { host: hostname, port, method, path, headers: headers as OutgoingHttpHeaders };
    forward(options, resolve).once("error", reject).end(body);
  });
}

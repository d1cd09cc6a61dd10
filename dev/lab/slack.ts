import { randomBytes } from "node:crypto";
import { readBody, sendJson, startHttp } from "./http";
import { pause } from "./poll";

/** How the webhook fails. */
export type SlackFault = { status: number } | { slowMs: number } | { drop: true };

/** A message that arrived. */
export interface SlackMessage {
  at: Date;
  /** The JSON that was posted. */
  body: Record<string, unknown>;
}

/** Takes Slack's incoming webhooks. */
export interface Slack {
  /** The webhook's address, with a secret part as Slack's own. */
  readonly url: string;
  /** What arrived, oldest first. */
  messages(): readonly SlackMessage[];
  /** Lets it fail until `undefined` ends it. */
  setFault(fault: SlackFault | undefined): void;
  stop(): Promise<void>;
}

/**
 * Starts the sink. It answers as Slack does: `ok`, `invalid_payload` (400) or `no_service` (404). Beyond that, a GET of
 * the webhook answers all that arrived, oldest first.
 */
export async function startSlack(): Promise<Slack> {
  const path = `/services/T00000000/B00000000/${randomBytes(12).toString("hex")}`;
  const received: SlackMessage[] = [];
  let fault: SlackFault | undefined;
  const server = await startHttp(async (request, response) => {
    const text = await readBody(request);
    if (fault && "drop" in fault) {
      request.socket.destroy();
      return;
    }
    if (fault && "slowMs" in fault) await pause(fault.slowMs);
    if (fault && "status" in fault) return sendJson(response, fault.status, { ok: false });
    if (request.url === path && request.method === "GET") return sendJson(response, 200, received);
    if (request.url !== path || request.method !== "POST") {
      response.writeHead(404).end("no_service");
      return;
    }
    const body = parse(text);
    if (!body) {
      response.writeHead(400).end("invalid_payload");
      return;
    }
    received.push({ at: new Date(), body });
    response.writeHead(200).end("ok");
  });
  return {
    url: `${server.url}${path}`,
    messages: () => received,
    setFault: (next) => {
      fault = next;
    },
    stop: server.stop,
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../../core/errors";
import { type AlpacaFault, AlpacaState, type NewKey } from "./alpaca-state";
import { type HttpServer, readBody, sendJson, startHttp } from "./http";
import { pause } from "./poll";
import type { SecretGenerator } from "./secrets";

/** One environment of the broker: its control, and the base URL that programs use. */
export interface AlpacaEnvironment extends AlpacaState {
  /** In place of https://paper-api.alpaca.markets or https://api.alpaca.markets. */
  readonly url: string;
}

/** Alpaca's trading API on loopback. */
export interface Alpaca {
  readonly paper: AlpacaEnvironment;
  readonly live: AlpacaEnvironment;
  /**
   * The dashboard as an API: `POST <adminUrl>/{paper|live}/{create-key|delete-key|fault|market}` with a JSON body, such as
   * `{"activeAfterMs":3000}`, `{"keyId":"PK…"}`, `{"status":429,"retryAfterSeconds":1}` or null, `{"open":true}`.
   * The URL has a secret part of its own.
   */
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** Starts both environments, each with one active account and no key. */
export async function startAlpaca(options: { secret?: SecretGenerator } = {}): Promise<Alpaca> {
  const servers: HttpServer[] = [];
  const environment = async (name: "paper" | "live"): Promise<AlpacaEnvironment> => {
    const state = new AlpacaState(name, options.secret);
    const server = await startHttp((request, response) => void answer(state, request, response));
    servers.push(server);
    return Object.assign(state, { url: server.url });
  };
  const environments = { paper: await environment("paper"), live: await environment("live") };
  const path = `/${randomBytes(12).toString("hex")}`;
  const admin = await startHttp((request, response) => void administer(environments, path, request, response));
  servers.push(admin);
  return {
    ...environments,
    adminUrl: `${admin.url}${path}`,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

async function answer(state: AlpacaState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const header = (name: string) => String(request.headers[name] ?? "");
  const keyId = header("apca-api-key-id");
  const path = request.url?.split("?")[0] ?? "";
  const send = (status: number, body: unknown, headers = {}): void => {
    state.record({ t: Date.now(), path, status, keyIdLast4: keyId.slice(-4) });
    sendJson(response, status, body, headers);
  };
  const fault = state.takeFault(keyId);
  if (fault && "drop" in fault) {
    state.record({ t: Date.now(), path, status: 0, keyIdLast4: keyId.slice(-4) });
    request.socket.destroy();
    return;
  }
  if (fault && "slowMs" in fault) await pause(fault.slowMs);
  if (fault && "status" in fault) {
    const headers = fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) };
    return send(fault.status, { code: fault.status * 100_000, message: MESSAGES[fault.status] }, headers);
  }
  const account = state.authenticate(keyId, header("apca-api-secret-key"));
  if (!account) return send(401, { code: 40110000, message: "request is not authorized" });
  if (request.method !== "GET") return send(405, { code: 40010001, message: "method not allowed" });
  if (path === "/v2/account") return send(200, accountBody(account));
  if (path === "/v2/clock") return send(200, state.clock());
  send(404, { code: 40410000, message: "endpoint not found." });
}

const MESSAGES = {
  401: "request is not authorized",
  403: "forbidden.",
  429: "too many requests.",
  500: "internal server error occurred",
  503: "service unavailable",
} as const;

function accountBody(account: ReturnType<AlpacaState["account"]>): Record<string, unknown> {
  return {
    ...account,
    currency: "USD",
    cash: account.buying_power,
    portfolio_value: account.buying_power,
    trading_blocked: account.status !== "ACTIVE",
    account_blocked: false,
    created_at: "2025-01-02T15:04:05Z",
  };
}

async function administer(
  environments: Record<"paper" | "live", AlpacaState>,
  prefix: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, secret, name, action] = (request.url ?? "").split("/");
  const state = name === "paper" || name === "live" ? environments[name] : undefined;
  if (`/${secret}` !== prefix || !state || request.method !== "POST") return sendJson(response, 404, {});
  try {
    const body: unknown = JSON.parse((await readBody(request)) || "null");
    const result = act(state, action, body);
    sendJson(response, result === undefined ? 404 : 200, result ?? { message: `no action ${action}` });
  } catch (error) {
    sendJson(response, 400, { message: messageOf(error) });
  }
}

function act(state: AlpacaState, action: string | undefined, body: unknown): unknown {
  switch (action) {
    case "create-key":
      return state.createKey((body ?? {}) as NewKey);
    case "delete-key":
      return { deleted: state.deleteKey((body as { keyId: string }).keyId) };
    case "fault":
      state.setFault((body ?? undefined) as AlpacaFault | undefined);
      return { fault: body };
    case "market":
      state.setMarket((body as { open: boolean }).open);
      return { open: (body as { open: boolean }).open };
    default:
      return undefined;
  }
}

import { createHash } from "node:crypto";
import pg from "pg";
import type { AlpacaPair, ApiKey, DatabaseLogin } from "./credentials";
import type { AlpacaConfig, ApiKeyConfig, DatabaseConfig } from "./types";

const LOGIN_LIMIT_MS = 5000;

/** A new login and one query. */
export async function tryLogin(config: DatabaseConfig, login: DatabaseLogin): Promise<void> {
  const client = new pg.Client(connection(config, login));
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * The pool that the service works with; one session stays open for as long as the service runs.
 *
 * @param onLost called when the database ends a session by itself.
 */
export function openPool(config: DatabaseConfig, login: DatabaseLogin, onLost: () => void): pg.Pool {
  const pool = new pg.Pool({ ...connection(config, login), max: 3, min: 1, idleTimeoutMillis: 0 });
  pool.on("error", onLost);
  return pool;
}

function connection(config: DatabaseConfig, login: DatabaseLogin): pg.ClientConfig {
  const { host, port, database } = config;
  const { user, password } = login;
  return { host, port, database, user, password, connectionTimeoutMillis: LOGIN_LIMIT_MS };
}

/** What Alpaca answers about the account of a pair. */
export interface AlpacaAccount {
  account_number: string;
  status: string;
  buying_power: string;
}

/** An answer of Alpaca that is not 200. */
export class AlpacaStatusError extends Error {
  constructor(readonly status: number) {
    super(status === 401 ? "401 Unauthorized (invalid API key)" : `Alpaca answered HTTP ${status}`);
  }
}

/** `GET /v2/account` with the pair. */
export async function fetchAccount(config: AlpacaConfig, pair: AlpacaPair): Promise<AlpacaAccount> {
  const answer = await fetch(`${config.baseUrl}/v2/account`, {
    headers: { "APCA-API-KEY-ID": pair.keyId, "APCA-API-SECRET-KEY": pair.secretKey },
    signal: AbortSignal.timeout(5000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new AlpacaStatusError(answer.status);
  return JSON.parse(text) as AlpacaAccount;
}

/** Whose key it is, as its issuer says. @throws AlpacaStatusError */
export async function fetchKeyAccount({ url }: ApiKeyConfig, { key }: ApiKey): Promise<string> {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${url}/v1/account`, { headers, signal: AbortSignal.timeout(5000) });
  const text = await answer.text();
  if (!answer.ok) throw new AlpacaStatusError(answer.status);
  return (JSON.parse(text) as { account: { id: string } }).account.id;
}

/** The end of a key's hash, by which a service says which key it holds. */
export const keyTail = (key: string): string => createHash("sha256").update(key).digest("hex").slice(-8);

/** SQLSTATE, HTTP status, or the name of the network error: short, and without a value in it. */
export function failureCode(error: unknown): string {
  if (error instanceof AlpacaStatusError) return String(error.status);
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if (at.name === "TimeoutError") return "ETIMEDOUT";
  }
  return "UNKNOWN";
}

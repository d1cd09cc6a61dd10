import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, sendJson, startHttp } from "./http";
import { randomSecret, type SecretGenerator } from "./secrets";

/** A key that the issuer has made. */
export interface IssuedKey {
  readonly id: string;
  readonly key: string;
  readonly account: string;
  /** What its maker calls it; no two that work have the same. */
  readonly name: string | undefined;
  /** How many further requests it is refused, as one that is not active yet. */
  refusals: number;
}

/** How every request is answered, whatever its key: a status, or never. */
export type IssuerFault =
  | { readonly status: number; readonly headers?: Record<string, string> }
  | { readonly hangs: true };

/** A request as the issuer got it. */
export interface IssuerRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

/**
 * A service that makes and judges keys, on loopback: `GET /v1/account` with `Authorization: Bearer KEY` says whose key it is.
 * With the administrator's key `POST /v1/keys` makes one: the same again for an `idempotency-key` that it knows, and none (409)
 * for `{"name": ...}` of a key that works. `GET /v1/keys` lists those that work, `DELETE /v1/keys/ID` and `DELETE
 * /v1/keys?name=NAME` end one, and so does `POST /v1/revoke` with `{"key": ...}`.
 */
export class KeyIssuer {
  readonly secretName = "market-data/api-key";
  readonly account = `ACC-${randomUUID().slice(0, 8)}`;
  /** Opens what makes and ends keys. */
  readonly admin: string;
  /** Every key that was ever made, oldest first. */
  readonly made: IssuedKey[] = [];
  readonly requests: IssuerRequest[] = [];
  fault: IssuerFault | undefined;
  /** Called once when a key was made; its answer is then lost. */
  losesAnswer: (() => void) | undefined;
  url = "";
  private readonly live = new Map<string, IssuedKey>();
  private readonly byRequest = new Map<string, IssuedKey>();

  constructor(private readonly secret: SecretGenerator = randomSecret) {
    this.admin = secret("issuer's administrator");
  }

  /** What "create" on its pages does; older keys keep working. */
  createKey({
    account = this.account,
    refusals = 0,
    name,
  }: {
    account?: string;
    refusals?: number;
    name?: string | undefined;
  } = {}): IssuedKey {
    const key = { id: randomUUID(), key: this.secret("api key"), account, name, refusals };
    this.live.set(key.key, key);
    this.made.push(key);
    return key;
  }

  /** What "delete" on its pages does. False when there is no such key. */
  deleteKey(key: string): boolean {
    return this.live.delete(key);
  }

  /** The keys that it accepts, oldest first. */
  working(): IssuedKey[] {
    return this.made.filter(({ key }) => this.live.has(key));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = request;
    const { pathname, searchParams } = new URL(path, this.url);
    const body = await readBody(request);
    const send = (status: number, answer: unknown, headers = {}) => {
      this.requests.push({ method, path, status, body });
      sendJson(response, status, answer, headers);
    };
    const { fault } = this;
    if (fault !== undefined && "hangs" in fault) return;
    if (fault !== undefined) return send(fault.status, { error: "fault" }, fault.headers);
    const bearer = String(request.headers.authorization ?? "").replace(/^Bearer /, "");
    if (method === "GET" && path === "/v1/account") {
      const known = this.live.get(bearer);
      if (known === undefined || known.refusals-- > 0) return send(401, { error: "invalid key" });
      return send(200, { account: { id: known.account, status: "ACTIVE" } });
    }
    if (bearer !== this.admin) return send(401, { error: "no administrator" });
    if (method === "POST" && path === "/v1/keys") {
      const id = String(request.headers["idempotency-key"] ?? randomUUID());
      const { name } = JSON.parse(body || "{}") as { name?: string };
      if (this.working().some((one) => name !== undefined && one.name === name))
        return send(409, { error: "name in use" });
      const key = this.byRequest.get(id) ?? this.createKey({ name });
      this.byRequest.set(id, key);
      const { losesAnswer } = this;
      this.losesAnswer = undefined;
      if (losesAnswer === undefined) return send(201, { data: { id: key.id, key: key.key } });
      losesAnswer();
      return void request.socket.destroy();
    }
    if (method === "GET" && path === "/v1/keys")
      return send(200, { data: this.working().map(({ id, name }) => ({ id, name })) });
    if (method === "DELETE" && pathname.startsWith("/v1/keys")) {
      const [id, name] = [pathname.slice("/v1/keys/".length), searchParams.get("name")];
      const found = this.working().find((one) => (id === "" ? one.name === name : one.id === id));
      return found && this.deleteKey(found.key) ? send(200, { deleted: true }) : send(404, { error: "unknown key" });
    }
    if (method === "POST" && path === "/v1/revoke") {
      const { key } = JSON.parse(body) as { key: string };
      return this.deleteKey(key) ? send(200, { revoked: true }) : send(404, { error: "unknown key" });
    }
    send(404, { error: "not found" });
  }
}

/** Starts an issuer without a key. */
export async function startKeyIssuer({
  secret,
}: {
  secret?: SecretGenerator;
} = {}): Promise<KeyIssuer & { stop(): Promise<void> }> {
  const issuer = new KeyIssuer(secret);
  const server = await startHttp((request, response) => void issuer.answer(request, response));
  issuer.url = server.url;
  return Object.assign(issuer, { stop: () => server.stop() });
}

/** How the config has keys of this issuer made and ended. @param variable of the environment, with the administrator's key */
export const issuerManages = (url: string, variable: string) => ({
  variables: { token: variable },
  issue: {
    request: `POST ${url}/v1/keys`,
    headers: { Authorization: "Bearer {token}", "Idempotency-Key": "{id}" },
    expect: { status: 201 },
    values: { key: "$.data.key", keyId: "$.data.id" },
  },
  revoke: { request: `DELETE ${url}/v1/keys/{keyId}`, headers: { Authorization: "Bearer {token}" } },
});

/** How the config says that a key of this issuer works. */
export const issuerProbe = (url: string) => ({
  request: `GET ${url}/v1/account`,
  headers: { Authorization: "Bearer {key}" },
  expect: { status: 200, json: { account: { status: "ACTIVE" } } },
  identity: "$.account.id",
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Trust, vaultTrust } from "../../../clients/trust";
import { homeOf } from "../../../config/home";
import { messageOf } from "../../../core/errors";
import { number, text } from "./coerce";
import { isObject, type Json, type Properties } from "./values";

/** Vault's (or OpenBao's) HTTP API. */
export interface VaultClient {
  /** The answer's `data`, or undefined if there is nothing (404). */
  read(path: string, namespace?: Json): Promise<Properties | undefined>;
  /** The answer's `data`, or undefined if the answer is empty. */
  write(path: string, body: Properties, namespace?: Json): Promise<Properties | undefined>;
  /** Deleting what no longer exists is no error. */
  remove(path: string, namespace?: Json): Promise<void>;
}

interface Settings {
  address: string;
  token: string | undefined;
  namespace: string | undefined;
  retries: number;
  trust: Trust;
}

interface Answer {
  status: number;
  body: Json;
}

/** The client of the provider's config, completed by VAULT_ADDR, VAULT_TOKEN and the like. Connects at first use. */
export function vaultClient(config: Properties, env: NodeJS.ProcessEnv): VaultClient {
  const settings: Settings = {
    address: (text(config.address) ?? env.VAULT_ADDR ?? "").replace(/\/+$/, ""),
    token: text(config.token) ?? env.VAULT_TOKEN ?? tokenFile(env),
    namespace: text(config.namespace) ?? env.VAULT_NAMESPACE,
    retries: number(config.maxRetries) ?? number(env.VAULT_MAX_RETRIES) ?? 2,
    trust: { ...vaultTrust(env), ...configuredTrust(config) },
  };
  const call = (method: string, path: string, body: Properties | undefined, namespace: Json | undefined) =>
    request(settings, method, path, body, text(namespace));
  return {
    read: async (path, namespace) => {
      const answer = await call("GET", path, undefined, namespace);
      if (answer.status === 404) return undefined;
      return dataOf(accepted(settings, answer, "GET", path, `error reading from Vault`));
    },
    write: async (path, body, namespace) => {
      const answer = await call("PUT", path, body, namespace);
      return dataOf(accepted(settings, answer, "PUT", path, `error writing to path "${path}", err`));
    },
    remove: async (path, namespace) => {
      const answer = await call("DELETE", path, undefined, namespace);
      if (answer.status !== 404) accepted(settings, answer, "DELETE", path, `error deleting "${path}", err`);
    },
  };
}

/** What the provider's config says, which goes before the environment. */
function configuredTrust(config: Properties): Trust {
  const [ca, servername] = [text(config.caCertFile), text(config.tlsServerName)];
  return {
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(servername === undefined ? {} : { servername }),
    ...(String(config.skipTlsVerify ?? "false") === "true" ? { rejectUnauthorized: false } : {}),
  };
}

function tokenFile(env: NodeJS.ProcessEnv): string | undefined {
  try {
    return readFileSync(join(homeOf(env) ?? "", ".vault-token"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

function dataOf(answer: Answer): Properties | undefined {
  return isObject(answer.body) && isObject(answer.body.data) ? answer.body.data : undefined;
}

/** A failure in the words of Vault's own client: they name the request and never its body. */
function accepted(settings: Settings, answer: Answer, method: string, path: string, doing: string): Answer {
  if (answer.status < 400) return answer;
  const errors = isObject(answer.body) && Array.isArray(answer.body.errors) ? answer.body.errors.map(String) : [];
  const lines = errors.map((error) => `* ${error}`).join("\n");
  const heading = `URL: ${method} ${settings.address}/v1/${path}\nCode: ${answer.status}. Errors:`;
  throw new Error(failure(`${doing}=Error making API request.\n\n${heading}\n\n${lines}`));
}

function failure(message: string): string {
  return `1 error occurred:\n\t* ${message}\n\n`;
}

async function request(
  settings: Settings,
  method: string,
  path: string,
  body: Properties | undefined,
  namespace: string | undefined,
): Promise<Answer> {
  if (settings.address === "") throw new Error(failure("no vault address: set vault:address or VAULT_ADDR"));
  if (settings.token === undefined)
    throw new Error(failure("no vault token set on Client: set vault:token or VAULT_TOKEN"));
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await once(settings, method, path, body, namespace);
      if (answer.status < 500 || answer.status === 501 || attempt >= settings.retries) return answer;
    } catch (error) {
      const reason = messageOf(error);
      if (attempt >= settings.retries) throw new Error(failure(`${method} ${settings.address}/v1/${path}: ${reason}`));
    }
    await sleep(500 * 2 ** attempt);
  }
}

async function once(
  settings: Settings,
  method: string,
  path: string,
  body: Properties | undefined,
  namespace: string | undefined,
): Promise<Answer> {
  const [plainPath = "", query] = path.split("?");
  const encoded = plainPath.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${settings.address}/v1/${encoded}${query === undefined ? "" : `?${query}`}`);
  const { request: send } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const scope = [settings.namespace, namespace].filter((part) => part !== undefined).join("/");
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method,
        timeout: 60_000,
        headers: {
          "X-Vault-Token": settings.token,
          "X-Vault-Request": "true",
          ...(scope === "" ? {} : { "X-Vault-Namespace": scope }),
          ...(payload === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...settings.trust,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) }),
        );
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer within 60 s")));
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

function parsed(body: string): Json {
  try {
    return body === "" ? null : (JSON.parse(body) as Json);
  } catch {
    return null;
  }
}

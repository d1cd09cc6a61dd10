import { type DeployOptions, deployStack } from "../../dev/lab/deploy";
import type { HttpServer } from "../../dev/lab/http";
import { type Lab, type LabOptions, startLab } from "../../dev/lab/lab";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import type { Bench } from "../engine/harness";
import { EffectGate } from "./gate";
import { type NameEffect, startHttpProxy } from "./http-proxy";
import { type PostgresProxy, startPostgresProxy } from "./postgres-proxy";

/** A lab whose pipeline reaches everything through a gate; services and tests go past it. */
export interface World extends Bench {
  readonly gate: EffectGate;
  stop(): Promise<void>;
}

export interface WorldOptions extends Pick<DeployOptions, "strategies" | "rotates" | "adopt" | "leases" | "config"> {
  readonly store: "vault" | "aws";
  /** Keeps the state in a bucket, so that each write of it is an effect too; in a folder by default. */
  readonly stateInBucket?: boolean;
  /** What the lab has; its own by default. */
  readonly has?: Pick<LabOptions, "databases" | "services">;
}

const BUCKET = "pulumi-state";

/** Starts lab, gate and stack; nothing is deployed yet. */
export async function startWorld({ store, stateInBucket = false, has = {}, ...deploy }: WorldOptions): Promise<World> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao", "moto"] });
  const gate = new EffectGate();
  const lab = await startLab({
    openbao: String(tools.openbao?.path),
    ...(store === "aws" || stateInBucket ? { moto: String(tools.moto?.path) } : {}),
    store,
    ...has,
    around: (effect, act) => gate.around(effect, act),
  });
  const proxies: (HttpServer | PostgresProxy)[] = [];
  const stop = async () => {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await lab.stop();
  };
  try {
    const logins = lab.databases.flatMap(({ vault }) => vault?.login ?? []);
    const postgres = await startPostgresProxy(lab.postgres, gate, logins);
    proxies.push(postgres);
    const vault = await startHttpProxy(lab.openbao.address, gate, vaultEffect);
    proxies.push(vault);
    const aws = lab.moto && (await startHttpProxy(lab.moto.address, gate, awsEffect));
    if (aws) proxies.push(aws);
    const backend = stateInBucket && lab.moto && aws ? await makeBucket(lab.moto.address, aws.url) : undefined;
    const stack = await deployStack({
      lab: behindGate(lab, postgres.port, vault.url, aws?.url),
      tools,
      ...deploy,
      ...(backend === undefined ? {} : { backend }),
    });
    return { lab, stack, gate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The lab as the pipeline is told of it. */
function behindGate(lab: Lab, port: number, vaultUrl: string, awsUrl: string | undefined): Lab {
  const { config, env } = lab.store;
  const ofStore: Record<string, string> = lab.store.kind === "vault" ? { VAULT_ADDR: vaultUrl } : {};
  const ofAws: Record<string, string> =
    awsUrl === undefined || lab.moto === undefined ? {} : { ...lab.moto.env, AWS_ENDPOINT_URL: awsUrl };
  return {
    ...lab,
    postgres: { ...lab.postgres, port },
    store: {
      ...lab.store,
      config: lab.store.kind === "aws" ? { ...config, endpoint: awsUrl } : config,
      env: { ...env, ...ofStore, ...ofAws },
    },
    env: { ...lab.env, PGPORT: String(port), ...ofStore, ...ofAws },
  };
}

async function makeBucket(address: string, throughGate: string): Promise<string> {
  const made = await fetch(`${address}/${BUCKET}`, { method: "PUT" });
  if (!made.ok) throw new Error(`the bucket could not be made: HTTP ${made.status}`);
  const query = new URLSearchParams({ region: "us-east-1", endpoint: throughGate, s3ForcePathStyle: "true" });
  return `s3://${BUCKET}?${query}`;
}

/** The state as the bucket has it, asked past the gate. */
export async function stateInBucket({ lab, stack }: Bench): Promise<string> {
  const file = `.pulumi/stacks/secret-rotation/${stack.name}.json`;
  // The emulator does not check the signature, but asks for one.
  const authorization =
    "AWS4-HMAC-SHA256 Credential=lab/20261123/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
  const answer = await fetch(`${lab.moto?.address}/${BUCKET}/${file}`, { headers: { authorization } });
  if (answer.status === 404) return "{}";
  if (!answer.ok) throw new Error(`${file}: HTTP ${answer.status}`);
  return answer.text();
}

const vaultEffect: NameEffect = ({ method, path }) => {
  const inEngine = /^\/v1\/database\/(\w[\w-]*)\//.exec(path)?.[1] ?? "";
  if (method === "GET") return inEngine === "creds" ? "vault: make a login" : undefined;
  if (method === "LIST") return undefined;
  if (ENGINE_CHANGES.has(inEngine)) return `vault: ${method === "DELETE" ? "remove" : "change"} ${inEngine}`;
  const system = /^\/v1\/sys\/(mounts|policy|policies|leases\/revoke)\b/.exec(path)?.[1];
  if (system !== undefined) return `vault: ${system === "leases/revoke" ? "end a login" : `change ${system}`}`;
  const found = /^\/v1\/[^/]+\/(data|metadata)\/[^/]+\/(.+)$/.exec(path);
  return found === null ? undefined : `vault: ${found[1] === "data" ? "write" : "mark"} ${found[2]}`;
};

const ENGINE_CHANGES = new Set(["config", "roles", "static-roles", "rotate-role", "rotate-root"]);

const AWS_CHANGES = /^secretsmanager\.((Put|Create|Update|Tag|Untag|Delete|Restore)\w*)$/;

const awsEffect: NameEffect = ({ method, path, headers, body }) => {
  const action = AWS_CHANGES.exec(String(headers["x-amz-target"] ?? ""))?.[1];
  if (action !== undefined) return `aws: ${action} ${nameOf(JSON.parse(body) as Record<string, unknown>)}`;
  if (method !== "PUT" && method !== "DELETE") return undefined;
  const file = new RegExp(`^/${BUCKET}/\\.pulumi/(\\w+)/.*\\.json`).exec(path)?.[1];
  if (file === "stacks") return "state: save";
  return file === "locks" ? `state: ${method === "PUT" ? "lock" : "unlock"}` : undefined;
};

/** `paper/database/password`, or the ARN of it, without the environment. */
function nameOf({ SecretId, Name }: Record<string, unknown>): string {
  const name = String(SecretId ?? Name).replace(/^arn:.*:secret:(.*)-\w{6}$/, "$1");
  return name.split("/").slice(1).join("/");
}

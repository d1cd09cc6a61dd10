import type { Moto } from "./moto";
import type { OpenBao } from "./openbao";
import { pipelinePolicy, servicePolicy, vaultPolicy } from "./policies";
import type { StoredDocument } from "./services/secret-reader";
import type { StoreConfig } from "./services/types";

/** A value of the store and which version of it. */
export interface BackendValue {
  readonly value: string;
  readonly version: number | string;
}

/** The store of a lab, as the platform's people use it by hand. Paths are below the environment: `database/password`. */
export interface SecretBackend {
  readonly kind: "vault" | "aws";
  /** Writes a new version, as a person would. */
  put(path: string, value: string): Promise<void>;
  /** Writes a JSON document, as a person would. */
  putDocument(path: string, data: Readonly<Record<string, unknown>>): Promise<void>;
  /** The JSON document in use; undefined if there is none. */
  getDocument(path: string): Promise<StoredDocument | undefined>;
  /** The version in use; undefined if there is none. */
  get(path: string): Promise<BackendValue | undefined>;
  /** What the stack config says under `store`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What the pipeline needs to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** The services' part of the config, with a credential of their own; in Vault it has these policies as well. */
  serviceStore(policies?: readonly string[]): Promise<StoreConfig>;
}

/** KV v2 of the lab's OpenBao, with tokens of least privilege. */
export async function vaultBackend(
  openbao: Pick<OpenBao, "address" | "mount" | "createToken" | "putSecret" | "getSecret">,
  environment: string,
): Promise<SecretBackend> {
  const { address, mount } = openbao;
  const scope = { mount, environment };
  const policy = `${pipelinePolicy(scope)}\n${vaultPolicy("pipeline-database", scope)}`;
  const pipeline = await openbao.createToken("pipeline", policy);
  return {
    kind: "vault",
    put: async (path, value) => void (await openbao.putSecret(`${environment}/${path}`, { value })),
    get: async (path) => {
      const found = await openbao.getSecret(`${environment}/${path}`);
      return found && { value: String(found.data.value), version: found.version };
    },
    putDocument: async (path, data) => void (await openbao.putSecret(`${environment}/${path}`, data)),
    getDocument: (path) => openbao.getSecret(`${environment}/${path}`),
    config: { kind: "vault" },
    env: { VAULT_ADDR: address, VAULT_TOKEN: pipeline },
    serviceStore: async (policies) => {
      const token = await openbao.createToken("services", servicePolicy({ mount, environment }), policies);
      return { kind: "vault", address, token, mount };
    },
  };
}

/** Secrets Manager of the lab's AWS emulator. */
export function awsBackend({ address, region, env, secrets }: Moto, environment: string): SecretBackend {
  const name = (path: string) => `${environment}/${path}`;
  const find = async <T>(asking: Promise<T>): Promise<T | undefined> =>
    asking.catch((error: unknown) => {
      if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
      throw error;
    });
  const put = async (path: string, value: string) => {
    const command = { SecretId: name(path), SecretString: value };
    if (await find(secrets.putSecretValue(command))) return;
    await secrets.createSecret({ Name: name(path), SecretString: value });
  };
  const get = async (path: string) => {
    const found = await find(secrets.getSecretValue({ SecretId: name(path) }));
    return found && { value: found.SecretString ?? "", version: found.VersionId ?? "" };
  };
  return {
    kind: "aws",
    put,
    get,
    putDocument: (path, data) => put(path, JSON.stringify(data)),
    getDocument: async (path) => {
      const found = await get(path);
      return found && { data: JSON.parse(found.value) as Record<string, unknown>, version: found.version };
    },
    config: { kind: "aws", region, endpoint: address, recoveryWindowDays: 0 },
    env,
    serviceStore: async () => ({
      kind: "aws",
      region,
      endpoint: address,
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
    }),
  };
}

import { join } from "node:path";
import { isMadeByVault } from "../../config";
import { DAY } from "../../core/time";
import type { Toolchain } from "../toolchain/resolve";
import type { AlpacaKey } from "./alpaca-state";
import { type IssuedKey, issuerProbe, type KeyIssuer } from "./key-issuer";
import { ALPACA_KEY, type Lab } from "./lab";
import type { Redis } from "./redis";
import { createStack, type Stack } from "./stack";

/** When the lab's calendar begins: a Monday night, markets closed. */
export const LAB_START = new Date("2026-11-23T02:00:00.000Z");

/** How a database's password rotates. */
export type Strategy = "single-user" | "alternating-users" | "vault-static" | "vault-dynamic";

const vaultMakes = (strategy: Strategy) => isMadeByVault({ kind: "postgres-password", strategy });

/** What {@link deployStack} takes. */
export interface DeployOptions {
  readonly lab: Lab;
  readonly tools: Toolchain;
  /** The Pulumi stack; the lab's environment by default. */
  readonly stack?: string;
  /** The project that it belongs to, for several stacks in one; a project of its own by default. */
  readonly project?: string;
  /** Where the state is kept, as for `pulumi login`; a folder of the lab by default. */
  readonly backend?: string;
  /** How each database's password rotates, by the secret's name; alternating users by default. */
  readonly strategies?: Readonly<Record<string, Strategy>>;
  /** How long a lease of vault-dynamic lasts; short enough for a test to see several end. */
  readonly leases?: { readonly defaultTtl: string; readonly maxTtl: string };
  /** Whether the passwords in use are given, so that the first rotation can be rolled back; true by default. */
  readonly adopt?: boolean;
  /** What the stack rotates: the databases' passwords (by default), the Alpaca pair, or the pair after the passwords. */
  readonly rotates?: "passwords" | "alpaca" | "both";
  /** Only these databases' secrets; all by default. */
  readonly only?: readonly string[];
  /** Further keys of a database's secret, by its name. */
  readonly shapes?: Readonly<Record<string, object>>;
  /** Config keys beside or instead of the lab's own; `undefined` leaves one out. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The stack config that describes a lab. */
export function labConfig({
  lab,
  strategies = {},
  rotates = "passwords",
  leases = { defaultTtl: "15s", maxTtl: "30s" },
  only,
  shapes = {},
  config = {},
}: Omit<DeployOptions, "tools">): Record<string, unknown> {
  const { sshPrivateKey: _, ...places } = lab.config;
  const { environment, postgres } = lab;
  const { paper, live } = lab.alpaca;
  const all = rotates === "alpaca" ? [] : lab.databases;
  const databases = all.filter(({ secretName }) => only?.includes(secretName) ?? true);
  const reach = (name: string) => ({ host: postgres.host, port: postgres.port, name, sslmode: "disable" });
  return {
    environment,
    store: lab.store.config,
    alpaca: {
      baseUrl: (environment === "paper" ? paper : live).url,
      otherUrl: (environment === "paper" ? live : paper).url,
    },
    ...places,
    secrets: [
      ...databases.map((database) => {
        const strategy = strategies[database.secretName] ?? "alternating-users";
        return {
          kind: "postgres-password",
          name: database.secretName,
          strategy,
          database: reach(database.name),
          role: database.role,
          restart: lab.readers(database.secretName),
          ...shapes[database.secretName],
          ...(database.vault === undefined || !vaultMakes(strategy)
            ? {}
            : {
                vault: { username: database.vault.login },
                ...(strategy === "vault-dynamic" ? leases : LONGEST_PERIOD),
              }),
        };
      }),
      ...(lab.redis !== undefined && rotates !== "alpaca" && (only?.includes(lab.redis.secretName) ?? true)
        ? [redisSecret(lab, lab.redis, shapes)]
        : []),
      ...(lab.issuer !== undefined && (only?.includes(lab.issuer.secretName) ?? true)
        ? [keySecret(lab, lab.issuer, shapes)]
        : []),
      ...(rotates === "passwords" ? [] : [alpacaSecret(lab)]),
    ],
    ...(databases[0]?.name === postgres.database ? {} : { audit: reach(postgres.database) }),
    lab: { clock: LAB_START.toISOString() },
    ...config,
  };
}

/** The ACL user of the lab's Redis, at the primary and at its replicas. */
const redisSecret = (
  lab: Lab,
  { nodes, user, admin, secretName }: Redis,
  shapes: Readonly<Record<string, object>>,
) => ({
  kind: "redis-password",
  name: secretName,
  user,
  nodes: nodes.map(({ address }) => address),
  admin,
  tls: { mode: "disable" },
  restart: lab.readers(secretName),
  ...shapes[secretName],
});

/** A key of the lab's issuer. */
const keySecret = (lab: Lab, { secretName, url }: KeyIssuer, shapes: Readonly<Record<string, object>>) => ({
  kind: "api-key",
  name: secretName,
  verify: issuerProbe(url),
  restart: lab.readers(secretName),
  ...shapes[secretName],
});

/** A key as the secret config key `apiKeys` has it. */
export const suppliedKey = (label: string, { key }: Pick<IssuedKey, "key">) => ({ label, values: { key } });

/** The value of the secret config key `apiKeys` for the lab's issuer. */
export const apiKeys = ({ secretName }: Pick<KeyIssuer, "secretName">, current: object, previous?: object) =>
  JSON.stringify({ [secretName]: { current, ...(previous === undefined ? {} : { previous }) } });

/** The longest possible period: within a test Vault rotates by itself only if a shorter one is set. */
const LONGEST_PERIOD = { rotationPeriod: "90d" };

/** The label of the pair in use at the lab's start. */
export const ADOPTED_LABEL = "paper-trading-2026-11-20";

/** A pair as the secret config key `alpacaKeys` has it. */
export const suppliedPair = (label: string, { keyId, secretKey }: Pick<AlpacaKey, "keyId" | "secretKey">) => ({
  label,
  keyId,
  secretKey,
});

/** The value of the secret config key `alpacaKeys`. */
export const alpacaKeys = (current: object, previous?: object) =>
  JSON.stringify({ [ALPACA_KEY]: { current, ...(previous === undefined ? {} : { previous }) } });

/** The runbook's part B: the orchestrator last, whose dry run follows. */
function alpacaSecret(lab: Lab) {
  const readers = lab.readers(ALPACA_KEY);
  const last = readers.filter((name) => name === "orchestrator");
  return {
    kind: "alpaca-key",
    restart: [...readers.filter((name) => name !== "orchestrator"), ...last],
    ...(last.length === 0 ? {} : { dryRun: { command: "orchestrator --dry-run", service: "orchestrator" } }),
  };
}

/** A stack of the real program against the lab; nothing is deployed yet. */
export function deployStack(options: DeployOptions): Promise<Stack> {
  const {
    lab,
    tools,
    stack = lab.environment,
    project = stack,
    adopt = true,
    rotates,
    only,
    strategies = {},
  } = options;
  const config = Object.entries(labConfig(options)).filter(([, value]) => value !== undefined);
  return createStack({
    dir: join(lab.dir, `stack-${project}`),
    stack,
    backend: options.backend,
    env: { ...tools.env, ...lab.env },
    config: Object.fromEntries(config),
    secrets: {
      sshPrivateKey: lab.config.sshPrivateKey,
      ...(Object.values(strategies).some(vaultMakes)
        ? { connectionPasswords: JSON.stringify(lab.connectionPasswords) }
        : {}),
      ...(adopt && rotates !== "alpaca" ? { adopted: JSON.stringify(chosen(lab.adopted, only)) } : {}),
      ...(lab.issuer?.made[0] !== undefined && (only?.includes(lab.issuer.secretName) ?? true)
        ? { apiKeys: apiKeys(lab.issuer, suppliedKey(ADOPTED_LABEL, lab.issuer.made[0])) }
        : {}),
      ...(rotates !== undefined && rotates !== "passwords"
        ? { alpacaKeys: alpacaKeys(suppliedPair(ADOPTED_LABEL, lab.adoptedAlpaca)) }
        : {}),
    },
  });
}

/** A value of the config key `lab` that moves the lab's calendar. */
export const clockAt = (days: number) => ({ clock: new Date(LAB_START.getTime() + days * DAY).toISOString() });

const chosen = (values: Readonly<Record<string, string>>, only: readonly string[] | undefined) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => only?.includes(name) ?? true));

import type * as pulumi from "@pulumi/pulumi";
import type { HostConfig, ServiceConfig } from "../config";
import { probeAt } from "../core/health";
import { isDocument, secretsOf } from "../stores/entries";
import type { StoreEntry } from "../stores/store";
import { isReloaded, kubectlFor, restartCommand, syncedOf } from "./restart-command";
import { probeOf, requestOf } from "./service-probe";

/** The credential that a restart brings into use. `V` is a secret value: a text, or one that is known later. */
export interface BroughtIn<V> {
  readonly secret: string;
  readonly generation: number;
  /** The login's user name, if this stack makes it. */
  readonly username?: string | undefined;
  /** Its entries in the store; empty if no store has it. */
  readonly entries: readonly StoreEntry<V>[];
}

/** A service at one of its places. */
export interface At {
  readonly service: string;
  readonly config: ServiceConfig;
  /** The host's name; undefined for this machine. */
  readonly hostName: string | undefined;
  readonly host: HostConfig | undefined;
}

/** What is done to a service at one place, for the step. What the config does not name is absent. */
export function restartInput<V = string | pulumi.Input<string>>(at: At, brought: readonly BroughtIn<V>[]) {
  const { service, config, host } = at;
  const address = host?.address ?? "localhost";
  const { reload } = config;
  return {
    service,
    command: restartCommand(service, config),
    ...(isReloaded(config) ? { reload: true } : {}),
    ...(typeof reload === "object" && "http" in reload
      ? { request: { probe: probeAt(requestOf(reload.http), address), from: reload.http.from } }
      : {}),
    probe: probeAt(probeOf(config), address),
    ...brought.map((one) => proofOf(config, one)).find(({ proof }) => proof !== undefined),
    timeout: config.timeout,
    ...hooksOf(at, brought),
    ...syncOf(config, brought),
  };
}

interface Proof {
  readonly proof?: { readonly field: string; readonly equals?: string };
}

/** What the health answer must show of this credential; nothing if it is about another one. */
export function proofOf<V>({ proof }: Pick<ServiceConfig, "proof">, brought: BroughtIn<V>): Proof {
  if (proof === undefined) return {};
  const { field, shows, secret = brought.secret } = proof;
  if (secret !== brought.secret) return {};
  if (shows === "changed") return { proof: { field } };
  const equals = shows === "username" ? brought.username : String(brought.generation);
  return equals === undefined ? {} : { proof: { field, equals } };
}

function hooksOf<V>({ service, config, hostName = "", host }: At, brought: readonly BroughtIn<V>[]) {
  const { before, after } = config;
  if (before === undefined && after === undefined) return {};
  const entries = brought.flatMap((one) => one.entries);
  return {
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    variables: {
      ROTATION_SERVICE: service,
      ROTATION_HOST: hostName,
      ROTATION_ADDRESS: host?.address ?? "localhost",
      // Several if the restart is shared: in the same order.
      ROTATION_SECRET: brought.map(({ secret }) => secret).join(" "),
      ROTATION_GENERATION: brought.map(({ generation }) => generation).join(" "),
    },
    redacted: entries.flatMap(secretsOf),
  };
}

function syncOf<V>({ kubernetes }: ServiceConfig, brought: readonly BroughtIn<V>[]) {
  if (kubernetes?.sync === undefined || brought.length === 0) return {};
  const { keys = {}, timeout } = kubernetes.sync;
  const { operator, name } = syncedOf(kubernetes) as NonNullable<ReturnType<typeof syncedOf>>;
  const values = brought
    .flatMap(({ entries }) => entries)
    .flatMap((entry) => comparedOf(entry, Object.hasOwn(keys, entry.path) ? keys[entry.path] : undefined));
  // Without anything to compare nothing says whether a VaultStaticSecret has synced.
  if (operator === "vaultStaticSecret" && values.length === 0) return {};
  return { sync: { kubectl: kubectlFor(kubernetes), operator, name, values, timeout } };
}

/** What the keys of the Kubernetes Secret must hold of an entry. @param named the config's word for its path */
function comparedOf<V>(entry: StoreEntry<V>, named: string | Readonly<Record<string, string>> | undefined) {
  if (named === undefined) return [];
  // A name alone is the same in the document and in the Secret.
  const pairs = typeof named === "string" ? [[named, named] as const] : Object.entries(named);
  return pairs.flatMap(([key, field]) => {
    const value = isDocument(entry) ? entry.fields[key]?.value : entry.value;
    if (value === undefined) return [];
    return [{ field, value: typeof value === "number" || typeof value === "boolean" ? String(value) : value }];
  });
}

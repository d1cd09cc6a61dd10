import { type HostConfig, type PostgresPasswordConfig, pathsOf, type ServiceConfig } from "../../../config";
import type { PreflightMode } from "../../../core/decide";
import type { StoreReference } from "../../../stores/schemas";
import type { Reader } from "./input";

/** The readers of one host; without a host, of this machine. */
export interface ReadersAt {
  readonly host?: HostConfig & { readonly name: string };
  readonly readers: readonly Reader[];
}

interface Platform {
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
}

/** How a stack's platform is reached. `K` opens hosts. */
interface Reached<K> extends Platform {
  readonly privateKey?: K | undefined;
  readonly store: { readonly reference: StoreReference };
}

/**
 * The input of a rehearsal. What the config does not name is absent: it is part of the state.
 *
 * @param old the login in use, if it is another one and its password is known
 */
export function rehearsalOf<K, L extends { readonly username: string; readonly password: unknown }>(
  secret: PostgresPasswordConfig,
  { privateKey, store, ...platform }: Reached<K>,
  mode: PreflightMode,
  old: L | undefined,
) {
  const places = readersOf(secret.restart, platform);
  const readsStore = places.some(({ readers }) => readers.some(({ tokenFile }) => tokenFile !== undefined));
  const onHosts = places.some(({ host }) => host !== undefined);
  return {
    places,
    owner: secret.role,
    strict: mode === "rotation",
    ...(old === undefined ? {} : { old: { username: old.username, password: old.password as L["password"] } }),
    ...(onHosts && privateKey !== undefined ? { privateKey } : {}),
    ...(readsStore ? { store: { reference: store.reference, paths: pathsOf(secret) } } : {}),
  };
}

/** Who reads a secret, by the place where they run. Services that reach the database in the same way are one reader. */
export function readersOf(restart: readonly string[], { services, hosts }: Platform): ReadersAt[] {
  const named = restart.flatMap((service) => {
    const config = services[service];
    return config === undefined || isElsewhere(config) ? [] : [{ service, config }];
  });
  const places = [...new Set(named.flatMap(({ config }) => (config.hosts.length === 0 ? [""] : config.hosts)))];
  return places.map((place) => {
    const here = named.filter(({ config }) =>
      place === "" ? config.hosts.length === 0 : config.hosts.includes(place),
    );
    const host = place === "" ? undefined : hosts[place];
    return { ...(host === undefined ? {} : { host: { name: place, ...host } }), readers: merged(here) };
  });
}

/** Its hosts are where `kubectl` runs, and it connects from somewhere else. */
const isElsewhere = ({ kubernetes, connects }: ServiceConfig): boolean =>
  kubernetes !== undefined && connects?.relay === undefined && connects?.tokenFile === undefined;

function merged(here: readonly { readonly service: string; readonly config: ServiceConfig }[]): Reader[] {
  const ways = new Map<string, Reader>();
  for (const { service, config } of here) {
    const way = config.connects ?? {};
    const key = JSON.stringify(way);
    const found = ways.get(key);
    ways.set(key, { services: [...(found?.services ?? []), service], ...way });
  }
  return [...ways.values()];
}

/** `signal-service and orchestrator on trading-1` */
export const readerName = ({ services }: Reader, host: string | undefined): string =>
  `${services.join(", ")} on ${host ?? "this machine"}`;

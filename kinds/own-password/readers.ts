import type { HostConfig, ServiceConfig } from "../../config";
import type { Reader } from "./place";

/** The readers of one host; without a host, of this machine. */
export interface ReadersAt {
  readonly host?: HostConfig & { readonly name: string };
  readonly readers: readonly Reader[];
}

/** Where services run. */
export interface ReadersPlatform {
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
}

/** Who reads a secret, by the place where they run. Services that reach the database in the same way are one reader. */
export function readersOf(restart: readonly string[], { services, hosts }: ReadersPlatform): ReadersAt[] {
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

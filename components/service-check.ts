import type { ServiceConfig } from "../config";
import { rotationTakes } from "../core/duration-estimate";
import { restartCheck } from "./restart-command";
import { restartRights } from "./restart-rights";
import { probeOf } from "./service-probe";

/** The services a secret names, in its order. */
export function servicesOf(names: readonly string[], services: Readonly<Record<string, ServiceConfig>>) {
  return names.map((name) => {
    const config = services[name];
    if (config === undefined) throw new Error(`the secret restarts ${name}, which is not in \`services\``);
    return { name, config };
  });
}

/** What the preflight requires of a service. @param restarts whether the rotation restarts it. */
export function serviceCheck(name: string, config: ServiceConfig, restarts: boolean) {
  return {
    name,
    hosts: config.hosts,
    probe: probeOf(config),
    restartCheck: restarts ? restartCheck(name, config) : undefined,
    restartRights: restarts ? restartRights(name, config) : undefined,
  };
}

/** How long a rotation that restarts these services may take, in milliseconds. */
export const takes = (services: readonly { readonly config: Pick<ServiceConfig, "timeout" | "hosts"> }[]): number =>
  rotationTakes(services.map(({ config: { timeout, hosts } }) => ({ timeout, hosts: hosts.length })));

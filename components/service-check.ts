import type { ServiceConfig } from "../config";
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
    restartRights: restarts ? rights(name, config) : undefined,
  };
}

/** After a reload a service is healthy with its old credential too, as long as that works. */
function rights(name: string, config: ServiceConfig): string | undefined {
  const script = restartRights(name, config);
  if (config.reload === undefined || config.proof !== undefined) return script;
  const note = `echo 'nothing shows whether a reload takes effect: set services.${name}.proof'`;
  return [note, ...(script === undefined ? [] : [script])].join("\n");
}

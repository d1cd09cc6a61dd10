/** The prefix of a secret's resource names: `database/password` is `database-password` in URNs. */
export const slugOf = (secret: string): string => secret.replaceAll("/", "-");

/** The secret that a resource belongs to, the longest name first; undefined for shared resources. */
export function secretOf(resource: string, secrets: readonly string[]): string | undefined {
  return secrets
    .filter((secret) => resource === slugOf(secret) || resource.startsWith(`${slugOf(secret)}-`))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** The resource that restarts a service on a host; without a host, on the machine that the update runs on. */
export const restartName = (secret: string, service: string, host: string | undefined): string =>
  [slugOf(secret), "restart", service, ...(host === undefined ? [] : [host])].join("-");

/** The activation of a secret, among those that a shared restart is for. */
export const tagged = (secret: string, activation: string): string => `${secret}: ${activation}`;

/** {@link restartName} for the services that several secrets share; the resource is among those of one of them. */
export const sharedRestartName = (secret: string, service: string, host: string | undefined): string =>
  [slugOf(secret), "shared-restart", service, ...(host === undefined ? [] : [host])].join("-");

/** The service and host that a restart's resource names. */
export function restartOf(
  resource: string,
  secret: string,
  services: Readonly<Record<string, { readonly hosts: readonly string[] }>>,
): { readonly service: string; readonly host: string | undefined } | undefined {
  for (const [service, { hosts }] of Object.entries(services)) {
    for (const host of [undefined, ...hosts]) {
      const names = [restartName(secret, service, host), sharedRestartName(secret, service, host)];
      if (names.includes(resource)) return { service, host };
    }
  }
  return undefined;
}

/** The name at a URN's end. */
export const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

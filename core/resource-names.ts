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

/** The service and host that a restart's resource names. */
export function restartOf(
  resource: string,
  secret: string,
  services: Readonly<Record<string, { readonly hosts: readonly string[] }>>,
): { readonly service: string; readonly host: string | undefined } | undefined {
  for (const [service, { hosts }] of Object.entries(services)) {
    const host = [undefined, ...hosts].find((name) => restartName(secret, service, name) === resource);
    if (host !== undefined || restartName(secret, service, undefined) === resource) return { service, host };
  }
  return undefined;
}

/** The name at a URN's end. */
export const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

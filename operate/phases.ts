import type { Step } from "./engine";

/** The parts of a rotation, in the order in which they come. */
export const PHASES = [
  "preflight",
  "new value",
  "database",
  "verify",
  "store",
  "restart",
  "confirm",
  "settle",
  "audit",
] as const;

export type Phase = (typeof PHASES)[number];

type PhaseStep = Pick<Step, "type" | "urn" | "name"> & Partial<Pick<Step, "newInputs" | "oldInputs">>;

/** The step of ours that a command runs, and what it is about; undefined for anything else. */
export function stepOf({ newInputs, oldInputs }: Partial<Pick<Step, "newInputs" | "oldInputs">>) {
  const found = /^node dist\/steps\/([\w-]+)\.mjs(?: '?(.*?)'?)?$/.exec(String(newInputs?.create ?? oldInputs?.create));
  return found === null ? undefined : { program: found[1], about: found[2] };
}

/** Which part of a rotation a resource belongs to; undefined for one that is not part of it (a provider, say). */
export function phaseOf(step: PhaseStep): Phase | undefined {
  const { type, urn, name } = step;
  const within = (component: string) => urn.includes(`:${component}$`);
  if (type.startsWith("pulumi:") || type.startsWith("secret-rotation:")) return undefined;
  if (name.endsWith("audit-history")) return undefined;
  if (within("Preflight")) return "preflight";
  if (within("RollingRestart")) return "restart";
  if (within("AuditRecord")) return "audit";
  if (stepOf(step)?.program === "store-write") return "store";
  if (/-(store-unchanged|versions-before)$/.test(name)) return "preflight";
  if (/-(metadata|tags|end-older)$/.test(name)) return "settle";
  if (/confirm|dry-run|old-pair|deprecat/.test(name)) return "confirm";
  if (name.endsWith("-vault-rotation")) return "database";
  if (type.startsWith("random:")) return "new value";
  if (type.startsWith("postgresql:")) return "database";
  if (type.startsWith("vault:") || type.startsWith("aws:")) return "store";
  return /verify|-proof-/.test(name) ? "verify" : undefined;
}

/** What each part does, for people who wait for it. */
export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  preflight: "checking everything the rotation will touch",
  "new value": "making the new value",
  database: "changing the login role",
  verify: "trying the new credential",
  store: "writing the store and reading it back",
  restart: "restarting services, one at a time",
  confirm: "trying the new credential again",
  settle: "marking what is in use now, and ending what is over",
  audit: "writing the audit row",
};

/** The part a resource's name of a secret begins with: `database/password` is `database-password` in URNs. */
export const slugOf = (secret: string): string => secret.replaceAll("/", "-");

/** The secret that a resource belongs to, the longest name first; undefined for what all secrets share. */
export function secretOf(resource: string, secrets: readonly string[]): string | undefined {
  return secrets
    .filter((secret) => resource === slugOf(secret) || resource.startsWith(`${slugOf(secret)}-`))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** The service and host that a restart's resource names. */
export function restartOf(
  resource: string,
  secret: string,
  services: Readonly<Record<string, { readonly hosts: readonly string[] }>>,
): { readonly service: string; readonly host: string | undefined } | undefined {
  const rest = resource.slice(`${slugOf(secret)}-restart-`.length);
  for (const [service, { hosts }] of Object.entries(services)) {
    if (rest === service) return { service, host: undefined };
    const host = hosts.find((name) => rest === `${service}-${name}`);
    if (host !== undefined) return { service, host };
  }
  return undefined;
}

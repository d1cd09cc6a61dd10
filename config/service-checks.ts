import { oneOf, type Problem, unknown } from "../core/problem";
import { documentsOf, pathsOf, type SecretConfig, traitsOf } from "../kinds/schemas";
import type { Config, ServiceConfig } from "./schema";

/** What ties services to hosts and secrets. */
export function serviceChecks(config: Config): Problem[] {
  const { services, hosts: known, sshPrivateKey, sshAgent, sshKeyPassphrase } = config;
  const onHosts = config.secrets.some(({ before, after }) => (before?.host ?? after?.host) !== undefined);
  const places = Object.entries(services).map(([service, { hosts }]) => ({ service, hosts }));
  const problems: Problem[] = places.flatMap(({ service, hosts }) =>
    hosts.flatMap((host, index) =>
      Object.hasOwn(known, host)
        ? []
        : [{ path: ["services", service, "hosts", index], message: unknown(host, "hosts", known) }],
    ),
  );
  if (sshAgent && sshPrivateKey !== undefined)
    problems.push({ path: ["sshAgent"], message: "expected either sshAgent or sshPrivateKey, found both" });
  if (sshKeyPassphrase !== undefined && sshPrivateKey === undefined)
    problems.push({ path: ["sshKeyPassphrase"], message: "expected only with sshPrivateKey, found that key missing" });
  if (sshPrivateKey === undefined && !sshAgent && (onHosts || places.some(({ hosts }) => hosts.length > 0))) {
    problems.push({
      path: ["sshPrivateKey"],
      message:
        "expected a private key, since services run on hosts, found nothing: `pulumi config set --secret sshPrivateKey < KEYFILE`",
    });
  }
  return problems;
}

/** What hooks, proofs and the wait for a sync name. */
export function restartChecks({ services, hosts: known, secrets }: Config): Problem[] {
  const hooks = secrets.flatMap((secret, index) =>
    (["before", "after"] as const).flatMap((hook) => {
      const host = secret[hook]?.host;
      const path = ["secrets", index, hook, "host"];
      return host === undefined || Object.hasOwn(known, host) ? [] : [{ path, message: unknown(host, "hosts", known) }];
    }),
  );
  const found = Object.entries(services).flatMap(([name, service]) => [
    ...proofChecks(name, service, secrets),
    ...syncChecks(name, service, secrets),
    ...wayChecks(name, service, secrets),
  ]);
  return [...hooks, ...found];
}

/** A path that a service uses is one of a secret that it reads. */
function wayChecks(name: string, { connects }: ServiceConfig, secrets: readonly SecretConfig[]): Problem[] {
  const known = [
    "primary",
    ...readersOf(name, secrets).flatMap((secret) =>
      "paths" in secret ? (secret.paths ?? []).map(({ address }) => address) : [],
    ),
  ];
  return (connects?.paths ?? []).flatMap((path, index) =>
    known.includes(path)
      ? []
      : [{ path: ["services", name, "connects", "paths", index], message: `expected ${oneOf(known)}, found ${path}` }],
  );
}

const readersOf = (service: string, secrets: readonly SecretConfig[]) =>
  secrets.filter(({ restart }) => restart.includes(service));

/** A proof must be about a secret that the service reads, and that has what it shows. */
function proofChecks(name: string, { proof }: ServiceConfig, secrets: readonly SecretConfig[]): Problem[] {
  if (proof === undefined) return [];
  const readers = readersOf(name, secrets);
  const path = ["services", name, "proof"];
  const about = readers.filter((secret) => proof.secret === undefined || secret.name === proof.secret);
  if (about.length === 0) {
    const names = readers.map((secret) => secret.name);
    const expected =
      names.length === 0 ? "expected only for a service that a secret restarts" : `expected ${oneOf(names)}`;
    return [{ path: [...path, "secret"], message: `${expected}, found ${proof.secret ?? "none"}` }];
  }
  if (proof.shows === "username" && !about.some(hasOwnUser)) {
    const message = "expected only for a secret whose user name changes with each rotation (alternating-users)";
    return [{ path: [...path, "shows"], message }];
  }
  if (proof.shows === "generation" && about.length > 1) {
    const message = `expected \`secret\`, since ${about.map((secret) => secret.name).join(" and ")} have generations of their own`;
    return [{ path: [...path, "secret"], message }];
  }
  return [];
}

/** Whether this pipeline gives each generation another login. */
const hasOwnUser = (secret: SecretConfig) => {
  const { hasDatabase, overlaps, suppliedBy } = traitsOf(secret);
  return hasDatabase && overlaps && suppliedBy === "pipeline";
};

/** What is compared must be in the store, and something of each secret that a VaultStaticSecret brings. */
function syncChecks(name: string, { kubernetes }: ServiceConfig, secrets: readonly SecretConfig[]): Problem[] {
  const sync = kubernetes?.sync;
  if (sync === undefined) return [];
  const readers = readersOf(name, secrets);
  const paths = readers.flatMap(pathsOf);
  const path = ["services", name, "kubernetes", "sync", "keys"];
  const named = sync.keys ?? {};
  const keys = Object.keys(named);
  const wrong = keys.filter((key) => !paths.includes(key));
  const unknownPaths = wrong.map((key) => ({
    path: [...path, key],
    message: `expected a path of a secret that restarts ${name}${paths.length === 0 ? "" : ` (${oneOf(paths)})`}, found another`,
  }));
  const bare = readers.filter(
    (secret) => pathsOf(secret).length > 0 && !pathsOf(secret).some((one) => keys.includes(one)),
  );
  const documents: Documents = Object.assign({}, ...readers.map((secret) => documentsOf(secret).documents ?? {}));
  const wrongKeys = keys
    .filter((key) => paths.includes(key))
    .flatMap((key) =>
      keyProblems(documents[key], named[key] ?? "").map((message) => ({ path: [...path, key], message })),
    );
  const found = [...unknownPaths, ...wrongKeys];
  if (sync.vaultStaticSecret === undefined || bare.length === 0) return found;
  const message = `expected a path of ${bare.map((secret) => secret.name).join(" and of ")} too: without one nothing says when it has synced`;
  return [...found, { path, message }];
}

type Documents = Readonly<Record<string, readonly string[]>>;

/** What is compared must be a key that this stack writes. @param ours the keys of a document; undefined for one value */
function keyProblems(ours: readonly string[] | undefined, named: string | Readonly<Record<string, string>>): string[] {
  if (ours === undefined) {
    return typeof named === "string" ? [] : ["expected a key of the Kubernetes Secret, since the path has one value"];
  }
  const asked = typeof named === "string" ? [named] : Object.keys(named);
  const form = typeof named === "string" ? ", or { key in the document: key of the Kubernetes Secret }" : "";
  return asked
    .filter((key) => !ours.includes(key))
    .map((key) => `expected a key of the document (${oneOf(ours)})${form}, found ${key}`);
}

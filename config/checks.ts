import type { Config } from "./schema";

/** One thing that is wrong: where it stands and what was expected. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What a schema of single keys cannot see: names that must exist, keys that need one another. */
export function crossChecks(config: Config): Problem[] {
  return [
    ...secretChecks(config),
    ...serviceChecks(config),
    ...requestChecks(config),
    ...operationChecks(config),
    ...labChecks(config),
  ];
}

function secretChecks(config: Config): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, number>();
  config.secrets.forEach((secret, index) => {
    const at = ["secrets", index];
    const first = seen.get(secret.name);
    if (first !== undefined) {
      problems.push({ path: [...at, "name"], message: `${secret.name} stands already in secrets[${first}]` });
    }
    seen.set(secret.name, index);
    secret.restart.forEach((service, position) => {
      if (!(service in config.services)) {
        problems.push({ path: [...at, "restart", position], message: unknown(service, "services", config.services) });
      }
    });
    if (secret.usernamePath !== undefined && secret.strategy === "single-user") {
      problems.push({ path: [...at, "usernamePath"], message: "expected only with strategy alternating-users" });
    }
    const merged = { ...config.policy, ...secret.policy };
    if (secret.policy !== undefined && merged.lead >= merged.maxAge) {
      problems.push({ path: [...at, "policy", "lead"], message: "expected less than maxAge" });
    }
    if (merged.maxAge > config.policy.maxAge) {
      problems.push({ path: [...at, "policy", "maxAge"], message: "expected at most the stack's policy.maxAge" });
    }
  });
  for (const adopted of Object.keys(config.adopted)) {
    if (!seen.has(adopted)) {
      problems.push({
        path: ["adopted", adopted],
        message: `no secret has this name; expected one of ${list([...seen.keys()])}`,
      });
    }
  }
  return problems;
}

function serviceChecks(config: Config): Problem[] {
  const problems: Problem[] = [];
  let remote = false;
  for (const [service, { hosts }] of Object.entries(config.services)) {
    remote ||= hosts.length > 0;
    hosts.forEach((host, index) => {
      if (!(host in config.hosts)) {
        problems.push({ path: ["services", service, "hosts", index], message: unknown(host, "hosts", config.hosts) });
      }
    });
  }
  if (remote && config.sshPrivateKey === undefined) {
    problems.push({
      path: ["sshPrivateKey"],
      message:
        "expected a private key, since services run on hosts: pulumi config set --secret sshPrivateKey < KEYFILE",
    });
  }
  if (config.alpaca === undefined && !config.preflight.allowOpenMarket) {
    problems.push({
      path: ["alpaca"],
      message: "expected { baseUrl }, to ask whether the market is closed; or preflight.allowOpenMarket: true",
    });
  }
  return problems;
}

function requestChecks({ request, secrets }: Config): Problem[] {
  if (request === undefined || secrets.some(({ name }) => name === request.secret)) return [];
  const names = secrets.map(({ name }) => name);
  return [
    {
      path: ["request", "secret"],
      message: `no secret has the name ${request.secret}; expected one of ${list(names)}`,
    },
  ];
}

/** What only the command line uses. */
function operationChecks({ notify, preflight, validation, hosts }: Config): Problem[] {
  const problems: Problem[] = [];
  if (preflight.notice !== undefined && notify === undefined) {
    problems.push({ path: ["preflight", "notice"], message: "expected only with `notify`: nobody would be told" });
  }
  if (notify?.email !== undefined && !notify.email.verifyCertificate && !isLoopback(notify.email.host)) {
    problems.push({
      path: ["notify", "email", "verifyCertificate"],
      message: `expected true: ${notify.email.host} is not a loopback address; name a private authority in NODE_EXTRA_CA_CERTS`,
    });
  }
  const host = validation.paperRun?.host;
  if (host !== undefined && !(host in hosts)) {
    problems.push({ path: ["validation", "paperRun", "host"], message: unknown(host, "hosts", hosts) });
  }
  return problems;
}

/** A clock of one's own must never reach a stack that holds real credentials, nor a lab's store real services. */
function labChecks(config: Config): Problem[] {
  if (config.lab === undefined) return realStoreChecks(config);
  const addresses = [
    ...config.secrets.map(({ database }) => database.host),
    ...Object.values(config.hosts).map(({ address }) => address),
    ...(config.alpaca === undefined ? [] : [new URL(config.alpaca.baseUrl).hostname]),
    storeHost(config),
  ];
  const outside = addresses.find((address) => !isLoopback(address));
  if (outside === undefined && config.environment !== "prod") return [];
  return [
    {
      path: ["lab"],
      message:
        outside === undefined
          ? "a stack of the environment prod is never a lab; remove this key"
          : `only a lab may set the clock, and ${outside} is not a loopback address; remove this key`,
    },
  ];
}

/** The store's host as far as the config names it; Vault's may be the environment's. */
function storeHost({ store }: Config): string {
  if (store.kind === "aws") return store.endpoint === undefined ? "AWS" : new URL(store.endpoint).hostname;
  return store.address === undefined ? "localhost" : new URL(store.address).hostname;
}

function realStoreChecks({ store }: Config): Problem[] {
  if (store.kind !== "aws") return [];
  const path = (key: string) => ["store", key];
  return [
    ...(store.endpoint === undefined ? [] : [{ path: path("endpoint"), message: "expected only in a lab" }]),
    ...(store.recoveryWindowDays > 0
      ? []
      : [{ path: path("recoveryWindowDays"), message: "expected 7 to 30 days: 0 only in a lab" }]),
  ];
}

const isLoopback = (address: string) => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(address);

const unknown = (found: string, key: string, known: object) =>
  `no entry ${found} under ${key}; expected one of ${list(Object.keys(known))}`;

const list = (names: string[]) => (names.length === 0 ? "(none)" : names.join(", "));

import { formatDuration } from "../core/duration";
import { oneOf, type Problem, unknown } from "../core/problem";
import { slugOf } from "../core/resource-names";
import { isSecretName } from "../core/schema-parts";
import {
  addressesOf,
  CHECKS_TOGETHER,
  checkSecret,
  hasDatabase,
  isOfKind,
  type SecretConfig,
  storePaths,
} from "../kinds/schemas";
import { schemaOf } from "../stores/schemas";
import { calendarChecks } from "./calendar";
import { eventChecks, mailChecks } from "./event-checks";
import { neverQuiet, tooLong } from "./messages";
import type { Config } from "./schema";
import { restartChecks, serviceChecks } from "./service-checks";

/** One check across keys. */
export type Check = () => readonly Problem[];

/** What a schema of single keys cannot check: names that must exist, keys that need one another. */
export function crossChecks(config: Config): Check[] {
  return [
    () => nameChecks(config),
    () => roleChecks(config),
    () => pathChecks(config),
    ...lengthOf(config.secrets).map((index) => () => secretChecks(config, index)),
    () => adoptedChecks(config),
    () => serviceChecks(config),
    () => restartChecks(config),
    () => marketChecks(config),
    () => calendarChecks(config),
    ...lengthOf(config.secrets).map((index) => () => kindChecks(config, index)),
    ...[...CHECKS_TOGETHER].map((check) => () => check(config)),
    () => auditChecks(config),
    () => requestChecks(config),
    () => operationChecks(config),
    () => eventChecks(config.events, isLoopback),
    () => labChecks(config),
    () => storeChecks(config),
    () => loginChecks(config),
  ];
}

/**
 * What checks find.
 *
 * @param isMisshapen whether the schema has refused something: then the config is not what its type says, and a check that
 * cannot read it finds nothing
 */
export function found(checks: readonly Check[], isMisshapen: boolean): Problem[] {
  return checks.flatMap((check) => {
    try {
      return check();
    } catch (error) {
      if (isMisshapen) return [];
      throw error;
    }
  });
}

const lengthOf = (list: unknown) => (Array.isArray(list) ? [...list.keys()] : []);

/** The secrets with their place in the list, without those that repeat an earlier one: that is reported once. */
const distinct = ({ secrets }: Config) =>
  [...secrets.entries()].filter(
    ([index, secret]) => isOfKind(secret) && secrets.findIndex(({ name }) => name === secret.name) === index,
  );

function nameChecks({ secrets }: Config): Problem[] {
  // Pulumi's names of resources are made of these.
  const names = secrets.map(({ name }, index) => ({ index, key: slugOf(name) }));
  return repeated(names).map(({ index, first }) => {
    const [found, taken] = [secrets[index]?.name, secrets[first]?.name];
    const why = found === taken ? "has already" : `(${taken}) takes, since - counts as /`;
    return {
      path: ["secrets", index, "name"],
      message: `expected a name of its own, found ${found}, which secrets[${first}] ${why}`,
    };
  });
}

/** Two secrets of one role would take the login from each other. */
function roleChecks(config: Config): Problem[] {
  const roles = distinct(config).flatMap(([index, secret]) => {
    if (!hasDatabase(secret)) return [];
    const { database, role } = secret;
    return [{ index, key: `${role} on ${database.host}:${database.port}` }];
  });
  return repeated(roles).map(({ index, first, key }) => ({
    path: ["secrets", index, "role"],
    message: `expected a role that no other secret has, found ${key}, which secrets[${first}] rotates`,
  }));
}

/** Two secrets that write to one path would overwrite each other. */
function pathChecks(config: Config): Problem[] {
  const secrets = distinct(config);
  const paths = secrets
    .flatMap(([index, secret]) => storePaths(secret).map(({ path, setBy }) => ({ index, key: path, setBy })))
    .sort((a, b) => Number(a.setBy !== "name") - Number(b.setBy !== "name"));
  return repeated(paths).map(({ index, first, key, setBy }) => {
    const by = setBy === "name" ? "usernamePath" : setBy;
    return {
      path: ["secrets", index, by],
      message: `expected a path that nothing else is written to, found ${key}, which secrets[${first}] writes; set ${by}`,
    };
  });
}

interface Keyed {
  readonly index: number;
  readonly key: string;
}

/** Those whose key occurs earlier in the list, with the place of the first. */
function repeated<T extends Keyed>(keys: readonly T[]): (T & { readonly first: number })[] {
  const seen = new Map<string, number>();
  return keys.flatMap((entry) => {
    const first = seen.get(entry.key);
    if (first === undefined) seen.set(entry.key, entry.index);
    return first === undefined ? [] : [{ ...entry, first }];
  });
}

function secretChecks({ secrets, services, policy }: Config, index: number): Problem[] {
  const secret = secrets[index] as SecretConfig;
  const problems: Problem[] = [];
  const expect = (holds: boolean, path: readonly PropertyKey[], message: () => string) => {
    if (!holds) problems.push({ path: ["secrets", index, ...path], message: message() });
  };
  const merged = { ...policy, ...secret.policy };
  expect(secret.policy === undefined || !(merged.lead >= merged.maxAge), ["policy", "lead"], () =>
    tooLong(merged.lead, merged.maxAge),
  );
  expect(
    secret.policy === undefined ||
      !(merged.lead + (merged.jitter ?? 0) >= merged.maxAge) ||
      merged.lead >= merged.maxAge,
    ["policy", "jitter"],
    () => tooLong(merged.jitter ?? 0, merged.maxAge - merged.lead),
  );
  expect(
    !(merged.maxAge > policy.maxAge),
    ["policy", "maxAge"],
    () =>
      `expected at most the stack's policy.maxAge (${formatDuration(policy.maxAge)}), found ${formatDuration(merged.maxAge)}`,
  );
  const limit = Math.max(merged.gracePeriod, merged.gracePeriodMax);
  expect(secret.policy === undefined || !((merged.quietPeriod ?? 0) >= limit), ["policy", "quietPeriod"], () =>
    neverQuiet(merged),
  );
  secret.restart.forEach((service, position) => {
    expect(Object.hasOwn(services, service), ["restart", position], () => unknown(service, "services", services));
  });
  return problems;
}

/** What only the kind of a secret knows. */
function kindChecks(config: Config, index: number): readonly Problem[] {
  const secret = config.secrets[index] as SecretConfig;
  return isOfKind(secret) ? checkSecret(config, secret, index) : [];
}

/** The names of all secrets; undefined if there is none or one is wrong: then nothing can be compared with them. */
function namesOf({ secrets }: Config): string[] | undefined {
  const names = secrets.map(({ name }) => name);
  return names.length > 0 && names.every(isSecretName) ? names : undefined;
}

function adoptedChecks(config: Config): Problem[] {
  const names = namesOf(config);
  if (names === undefined || typeof config.adopted !== "object" || Array.isArray(config.adopted)) return [];
  return Object.keys(config.adopted)
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: ["adopted", name],
      message: `expected the name of a secret (${oneOf(names)}), found another; it is not shown, since it may be a value`,
    }));
}

function marketChecks({ alpaca, market, preflight }: Config): Problem[] {
  if (alpaca !== undefined || market !== undefined || preflight.allowOpenMarket !== false) return [];
  const message =
    "expected { baseUrl }, to ask whether the market is closed, found nothing; or say in market when it is open, or set preflight.allowOpenMarket: true";
  return [{ path: ["alpaca"], message }];
}

function auditChecks({ audit, secrets }: Config): Problem[] {
  if (audit !== undefined || secrets.length === 0 || secrets.some(hasDatabase)) return [];
  const message = "expected the database of the audit log, since no secret has a database, found nothing";
  return [{ path: ["audit"], message }];
}

function requestChecks(config: Config): Problem[] {
  const names = namesOf(config);
  const { request } = config;
  if (names === undefined || request === undefined || names.includes(request.secret)) return [];
  const message = `expected the name of a secret (${oneOf(names)}), found ${request.secret}`;
  return [{ path: ["request", "secret"], message }];
}

/** What only the command line uses. */
function operationChecks({ notify, preflight, validation, hosts }: Config): Problem[] {
  const problems: Problem[] = [];
  if (preflight.notice !== undefined && notify === undefined) {
    problems.push({
      path: ["preflight", "notice"],
      message: "expected only with `notify`: otherwise there is no one to notify",
    });
  }
  if (notify?.email !== undefined) problems.push(...mailChecks(["notify", "email"], notify.email, isLoopback));
  const host = validation.paperRun?.host;
  if (host !== undefined && !Object.hasOwn(hosts, host)) {
    problems.push({ path: ["validation", "paperRun", "host"], message: unknown(host, "hosts", hosts) });
  }
  return problems;
}

/** A custom clock must never reach a stack that holds real credentials. */
function labChecks(config: Config): Problem[] {
  if (config.lab === undefined) return [];
  if (config.environment === "prod") {
    return [{ path: ["lab"], message: "a stack of the environment prod is never a lab; remove this key" }];
  }
  const addresses = [
    ...config.secrets.flatMap(addressesOf),
    ...(config.audit === undefined ? [] : [config.audit.host]),
    ...Object.values(config.hosts).map(({ address }) => address),
    ...[config.alpaca?.baseUrl, config.alpaca?.otherUrl].flatMap((url) =>
      url === undefined ? [] : [new URL(url).hostname],
    ),
  ];
  return outsideChecks(addresses);
}

/** Neither a lab's clock nor anything else that only a lab may have may reach a real store. */
function storeChecks({ store, lab, environment }: Config): Problem[] {
  const { host, onlyInLab } = schemaOf(store);
  if (lab === undefined) return onlyInLab(store).map(({ key, message }) => ({ path: ["store", key], message }));
  return environment === "prod" ? [] : outsideChecks([host(store)]);
}

function loginChecks({ store, vaultSecretId }: Config): Problem[] {
  const message = schemaOf(store).loginProblem?.(store, vaultSecretId);
  return message === undefined ? [] : [{ path: ["vaultSecretId"], message }];
}

function outsideChecks(addresses: readonly string[]): Problem[] {
  const outside = addresses.find((address) => !isLoopback(address));
  if (outside === undefined) return [];
  const message = `only a lab may set the clock, and ${outside} is not a loopback address; remove this key`;
  return [{ path: ["lab"], message }];
}

const isLoopback = (address: string) => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(address);

import { oneOf } from "../../config/messages";
import type { Problem } from "../../config/problem";
import type { Config, VaultPasswordConfig } from "../../config/schema";
import { formatDuration, parseDuration } from "../../core/duration";
import { schemaOf } from "../../stores/schemas";
import { connectionOf, isMadeByVault, rolesInVault } from "./engine";

/** Vault looks for what is due every five seconds. */
const SHORTEST_PERIOD = parseDuration("5s");

interface Placed {
  readonly index: number;
  readonly secret: VaultPasswordConfig;
}

/** What ties the passwords that Vault makes to the store, to its connections and to each other. */
export function vaultChecks(config: Config): Problem[] {
  const placed = vaultPasswords(config);
  return [
    ...placed.flatMap((own) => [...placeChecks(config, own), ...loginChecks(config, own)]),
    ...placed.flatMap((own) => [...scheduleChecks(config, own), ...leaseChecks(config, own)]),
    ...sharedChecks(placed),
    ...passwordChecks(config, placed),
  ];
}

/** The secrets that Vault makes, with their place in the list. */
const vaultPasswords = ({ secrets }: Config): Placed[] =>
  secrets.flatMap((secret, index) => (isMadeByVault(secret) ? [{ index, secret }] : []));

/** Services read it from Vault's database engine: that they read the rest from AWS makes no sense. */
function placeChecks({ store }: Config, { index, secret }: Placed): Problem[] {
  if (schemaOf(store).vault(store) !== undefined) return [];
  const message =
    `expected single-user or alternating-users where the store is ${store.kind}, found ${secret.strategy}: ` +
    "the credential is read from Vault itself, so store.kind must be vault";
  return [{ path: ["secrets", index, "strategy"], message }];
}

/** Vault's own login is a login of its own. */
function loginChecks({ connectionPasswords }: Config, { index, secret }: Placed): Problem[] {
  const { vault, role, database } = secret;
  const path = ["secrets", index, "vault"];
  const problems: Problem[] = [];
  if (vault.username === role) {
    const message = `expected a login of Vault's own, which changes the role, found the role itself (${role})`;
    problems.push({ path: [...path, "username"], message });
  }
  if (vault.rotateRoot && vault.username === database.admin) {
    const message = `expected false: Vault alone would know the password of ${vault.username}, which this pipeline logs in as`;
    problems.push({ path: [...path, "rotateRoot"], message });
  }
  if (!Object.hasOwn(connectionPasswords, connectionOf(secret))) {
    const key = `connectionPasswords["${connectionOf(secret)}"]`;
    const message = `expected the password of ${vault.username} in ${key}, found nothing: pulumi config set --secret --path '${key}'`;
    problems.push({ path: [...path, "connection"], message });
  }
  return problems;
}

function scheduleChecks({ policy }: Config, { index, secret }: Placed): Problem[] {
  if (secret.strategy !== "vault-static") return [];
  const { rotationPeriod: period, rotationSchedule: schedule, rotationWindow: window } = secret;
  const at = (key: string, message: string): Problem => ({ path: ["secrets", index, key], message });
  const maxAge = secret.policy?.maxAge ?? policy.maxAge;
  if ((period === undefined) === (schedule === undefined)) {
    const found = period === undefined ? "neither" : "both";
    return [at("rotationPeriod", `expected either rotationPeriod or rotationSchedule, found ${found}`)];
  }
  return [
    ...(window !== undefined && schedule === undefined
      ? [at("rotationWindow", "expected only with rotationSchedule: a period has no window")]
      : []),
    ...(period !== undefined && period < SHORTEST_PERIOD
      ? [at("rotationPeriod", `expected at least 5s, found ${formatDuration(period)}`)]
      : []),
    ...(period !== undefined && period > maxAge
      ? [at("rotationPeriod", `expected at most maxAge (${formatDuration(maxAge)}), found ${formatDuration(period)}`)]
      : []),
  ];
}

/** A lease ends by itself: what counts is how long it may live. */
function leaseChecks({ policy, adopted }: Config, { index, secret }: Placed): Problem[] {
  if (secret.strategy !== "vault-dynamic") return [];
  const { defaultTtl, maxTtl } = secret;
  const at = (key: string, message: string): Problem => ({ path: ["secrets", index, key], message });
  return [
    ...(defaultTtl < SHORTEST_PERIOD
      ? [at("defaultTtl", `expected at least 5s, found ${formatDuration(defaultTtl)}`)]
      : []),
    ...(defaultTtl > maxTtl
      ? [at("defaultTtl", `expected at most maxTtl (${formatDuration(maxTtl)}), found ${formatDuration(defaultTtl)}`)]
      : []),
    ...(maxTtl > policy.maxAge
      ? [
          at(
            "maxTtl",
            `expected at most policy.maxAge (${formatDuration(policy.maxAge)}), found ${formatDuration(maxTtl)}`,
          ),
        ]
      : []),
    ...(secret.policy === undefined
      ? []
      : [at("policy", "expected nothing: a lease ends by itself, after maxTtl at the latest")]),
    ...(Object.hasOwn(adopted, secret.name)
      ? [
          {
            path: ["adopted", secret.name],
            message: "expected nothing: services with leases never return to a password",
          },
        ]
      : []),
  ];
}

/** One connection has one description, and one role in Vault belongs to one secret. */
function sharedChecks(placed: readonly Placed[]): Problem[] {
  return placed.flatMap(({ index, secret }, position) => {
    const before = placed.slice(0, position);
    const { vault } = secret;
    const twin = before.find(
      ({ secret: other }) => other.vault.mount === vault.mount && connectionOf(other) === connectionOf(secret),
    );
    const mountTwin = before.find(({ secret: { vault: other } }) => other.mount === vault.mount);
    const isTaken =
      (role: string) =>
      ({ secret: other }: Placed) =>
        other.vault.mount === vault.mount && rolesInVault(other).includes(role);
    const twinRole = rolesInVault(secret).find((role) => before.some(isTaken(role)));
    const roleTwin = twinRole === undefined ? undefined : before.find(isTaken(twinRole));
    const path = (...keys: string[]) => ["secrets", index, ...keys];
    return [
      ...(twin !== undefined && describe(twin.secret) !== describe(secret)
        ? [
            {
              path: path("vault", "connection"),
              message: `expected what secrets[${twin.index}] says of ${connectionOf(secret)} (${describe(twin.secret)}), found ${describe(secret)}; name another connection`,
            },
          ]
        : []),
      ...(mountTwin !== undefined && mountTwin.secret.vault.createMount !== vault.createMount
        ? [
            {
              path: path("vault", "createMount"),
              message: `expected ${mountTwin.secret.vault.createMount}, as secrets[${mountTwin.index}] says of ${vault.mount}, found ${vault.createMount}`,
            },
          ]
        : []),
      ...(roleTwin !== undefined
        ? [
            {
              path: path("role"),
              message: `expected a role of its own in Vault, found ${twinRole} at ${vault.mount}, which secrets[${roleTwin.index}] has`,
            },
          ]
        : []),
    ];
  });
}

/** What must be the same for all that share a connection. */
function describe({ vault, database }: VaultPasswordConfig): string {
  const { username, host = database.host, port = database.port, rotateRoot } = vault;
  return `${username} on ${host}:${port}/${database.name}, ${database.sslmode}${rotateRoot ? ", rotateRoot" : ""}`;
}

/** A name that is no connection's is not repeated: it may be a password. */
function passwordChecks({ connectionPasswords }: Config, placed: readonly Placed[]): Problem[] {
  const known = [...new Set(placed.map(({ secret }) => connectionOf(secret)))];
  return Object.keys(connectionPasswords)
    .filter((connection) => !known.includes(connection))
    .map((connection) => ({
      path: ["connectionPasswords", connection],
      message: `expected the name of a connection (${oneOf(known)}), found another; it is not shown, since it may be a value`,
    }));
}

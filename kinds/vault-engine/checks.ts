import type { ConfigPart, Placed } from "../../core/config-part";
import { parseDuration } from "../../core/duration";
import { oneOf, type Problem } from "../../core/problem";
import type { OfKind } from "../../core/traits";
import { type StoreConfig, schemaOf } from "../../stores/schemas";
import { roleChecks } from "../postgres-password/checks";
import { connectionOf, isMadeByVault, rolesInVault, type VaultPasswordConfig } from "./engine";

/** Vault checks for due rotations every five seconds. */
export const SHORTEST_PERIOD = parseDuration("5s");

/** The part of the config that the checks read. */
export interface Checked {
  readonly store: StoreConfig;
  readonly policy: { readonly maxAge: number };
  readonly adopted: object;
  readonly connectionPasswords: object;
  readonly secrets: readonly OfKind[];
}

type Part = ConfigPart<VaultPasswordConfig, Checked>;

/** The common config of all that Vault makes: it is in no store, and Vault reaches its database in its own way. */
export const madeByVaultInConfig: Omit<Part, "traits" | "schema"> = {
  paths: () => [],
  addresses: ({ database, vault }) => [database.host, ...(vault.host === undefined ? [] : [vault.host])],
  check: (config, placed) => [...placeChecks(config, placed), ...loginChecks(config, placed), ...roleChecks(placed)],
  checksTogether: [sharedChecks, passwordChecks],
};

/** The secrets that Vault makes, with their place in the list. */
const vaultPasswords = ({ secrets }: Checked): Placed<VaultPasswordConfig>[] =>
  secrets.flatMap((secret, index) => (isMadeByVault(secret) ? [{ index, secret }] : []));

/** Services read it from Vault's database engine; reading the rest from AWS would make no sense. */
function placeChecks({ store }: Checked, { index, secret }: Placed<VaultPasswordConfig>): Problem[] {
  if (schemaOf(store).vault(store) !== undefined) return [];
  const message =
    `expected single-user or alternating-users, since the store is ${store.kind}, found ${secret.strategy}: ` +
    "the credential is read from Vault itself, so store.kind must be vault";
  return [{ path: ["secrets", index, "strategy"], message }];
}

/** Vault's own login must be a separate login. */
function loginChecks({ connectionPasswords }: Checked, { index, secret }: Placed<VaultPasswordConfig>): Problem[] {
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
    const message = `expected the password of ${vault.username} in ${key}, found nothing: \`pulumi config set --secret --path '${key}'\``;
    problems.push({ path: [...path, "connection"], message });
  }
  return problems;
}

/** One connection has one description, and one role in Vault belongs to one secret. */
function sharedChecks(config: Checked): Problem[] {
  const placed = vaultPasswords(config);
  return placed.flatMap(({ index, secret }, position) => {
    const before = placed.slice(0, position);
    const { vault } = secret;
    const twin = before.find(
      ({ secret: other }) => other.vault.mount === vault.mount && connectionOf(other) === connectionOf(secret),
    );
    const mountTwin = before.find(({ secret: { vault: other } }) => other.mount === vault.mount);
    const isTaken =
      (role: string) =>
      ({ secret: other }: Placed<VaultPasswordConfig>) =>
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

/** The settings that all secrets of a connection must share. */
function describe({ vault, database }: VaultPasswordConfig): string {
  const { username, host = database.host, port = database.port, rotateRoot } = vault;
  return `${username} on ${host}:${port}/${database.name}, ${database.sslmode}${rotateRoot ? ", rotateRoot" : ""}`;
}

/** A name of no connection is not repeated: it may be a password. */
function passwordChecks(config: Checked): Problem[] {
  const known = [...new Set(vaultPasswords(config).map(({ secret }) => connectionOf(secret)))];
  return Object.keys(config.connectionPasswords)
    .filter((connection) => !known.includes(connection))
    .map((connection) => ({
      path: ["connectionPasswords", connection],
      message: `expected the name of a connection (${oneOf(known)}), found another; it is not shown, since it may be a value`,
    }));
}

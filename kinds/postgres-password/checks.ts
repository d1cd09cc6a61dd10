import type { ConfigPart, Placed } from "../../core/config-part";
import { type Problem, unknown } from "../../core/problem";
import { LONGEST_ROLE } from "../../core/schema-parts";
import { databasePathsOf, PRIMARY, pathName } from "./paths/schema";
import { ownPassword, type PostgresPasswordConfig, usernamePathOf } from "./schema";
import { alternatingUsers, singleUser } from "./traits";

/** The part of the config that the checks read. */
interface Checked {
  readonly hosts: object;
  readonly sshPrivateKey?: string | undefined;
  readonly sshAgent?: boolean;
}

type Part = ConfigPart<PostgresPasswordConfig, Checked>;

/** A password that changes in place: the store has it alone. */
export const singleUserInConfig: Part = {
  traits: singleUser,
  schema: ownPassword,
  paths: ({ name }) => [{ path: name, setBy: "name" }],
  addresses: (secret) => [secret.database.host, ...databasePathsOf(secret).map(({ host }) => host)],
  check: (config, placed) => [...usernameChecks(placed), ...roleChecks(placed), ...pathChecks(config, placed)],
  checksTogether: [],
};

/** Two logins that take turns: the store names the one in use. */
export const alternatingUsersInConfig: Part = {
  ...singleUserInConfig,
  traits: alternatingUsers,
  paths: (secret) => [
    { path: usernamePathOf(secret), setBy: "usernamePath" },
    { path: secret.name, setBy: "name" },
  ],
  check: (config, placed) => [...roleChecks(placed), ...pathChecks(config, placed), ...pluginChecks(placed)],
};

function usernameChecks({ index, secret: { usernamePath } }: Placed<PostgresPasswordConfig>): Problem[] {
  if (usernamePath === undefined) return [];
  const message = "expected only with strategy alternating-users: a single user keeps its name";
  return [{ path: ["secrets", index, "usernamePath"], message }];
}

/** The plugin's driver has no mode that tries both ways. */
function pluginChecks({ index, secret: { database } }: Placed<PostgresPasswordConfig>): Problem[] {
  if (database.sslmode !== "allow" && database.sslmode !== "prefer") return [];
  const message = `expected disable, require, verify-ca or verify-full for alternating-users, whose plugin has no ${database.sslmode}, found it`;
  return [{ path: ["secrets", index, "database", "sslmode"], message }];
}

/** A path is named once, and a user list is on hosts that can be reached. */
function pathChecks(
  { hosts, sshPrivateKey, sshAgent }: Checked,
  { index, secret }: Placed<PostgresPasswordConfig>,
): Problem[] {
  const { database, paths = [] } = secret;
  const names = [pathName(database), ...paths.map(({ address }) => address)];
  return paths.flatMap(({ address, pooler }, position): Problem[] => {
    const path = ["secrets", index, "paths", position];
    const listed = pooler?.userlist?.hosts ?? [];
    const first = names.indexOf(address);
    return [
      ...(address === PRIMARY && Object.keys(paths[position] ?? {}).length > 2
        ? [{ path, message: `expected ${PRIMARY} alone: \`database\` says how it is reached` }]
        : []),
      ...(first === position + 1
        ? []
        : [
            {
              path: [...path, "address"],
              message: `expected each path once, found ${address}, which ${first === 0 ? "is the database's own server" : `paths[${first - 1}] names`}`,
            },
          ]),
      ...listed.flatMap((host, at) =>
        Object.hasOwn(hosts, host)
          ? []
          : [{ path: [...path, "pooler", "userlist", "hosts", at], message: unknown(host, "hosts", hosts) }],
      ),
      ...(listed.length > 0 && sshPrivateKey === undefined && !sshAgent
        ? [
            {
              path: ["sshPrivateKey"],
              message:
                "expected a private key, since a user list is on a host, found nothing: `pulumi config set --secret sshPrivateKey < KEYFILE`",
            },
          ]
        : []),
    ];
  });
}

/** The database's name is the default role, and may be longer than a role's name. */
export function roleChecks({ index, secret }: Placed<{ readonly role: string }>): Problem[] {
  if (secret.role.length <= LONGEST_ROLE) return [];
  const message = `expected at most ${LONGEST_ROLE} characters, found the database's name; name the role`;
  return [{ path: ["secrets", index, "role"], message }];
}

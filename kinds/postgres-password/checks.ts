import type { ConfigPart, Placed } from "../../core/config-part";
import { documentPath, documentProblems, documentShape, hasDocument, hasValues } from "../../core/document-settings";
import { passwordRuleProblems } from "../../core/password-rule-schema";
import { type Problem, unknown } from "../../core/problem";
import { LONGEST_ROLE } from "../../core/schema-parts";
import { databasePathsOf, PRIMARY, pathName } from "./paths/schema";
import { ownPassword, type PostgresPasswordConfig, passwordDocument, usernamePathOf } from "./schema";
import { alternatingUsers, singleUser } from "./traits";

/** The part of the config that the checks read. */
export interface Checked {
  readonly hosts: object;
  readonly sshPrivateKey?: string | undefined;
  readonly sshAgent?: boolean;
  readonly sslPassword?: string | undefined;
}

type Part = ConfigPart<PostgresPasswordConfig, Checked>;

/** A password that changes in place: the store has it alone. */
export const singleUserInConfig: Part = {
  traits: singleUser,
  schema: ownPassword,
  paths: (secret) => [...documentPaths(secret), ...(hasValues(secret) ? [{ path: secret.name, setBy: "name" }] : [])],
  documents,
  addresses: (secret) => [secret.database.host, ...databasePathsOf(secret).map(({ host }) => host)],
  check: (config, placed) => [
    ...usernameChecks(placed),
    ...roleChecks(placed),
    ...ownChecks(placed),
    ...pathChecks(config, placed),
  ],
  checksTogether: [],
};

/** Two logins that take turns: the store names the one in use. */
export const alternatingUsersInConfig: Part = {
  ...singleUserInConfig,
  traits: alternatingUsers,
  paths: (secret) => [
    ...documentPaths(secret),
    ...(hasValues(secret)
      ? [
          { path: usernamePathOf(secret), setBy: "usernamePath" },
          { path: secret.name, setBy: "name" },
        ]
      : []),
  ],
  check: (config, placed) => [
    ...namePathChecks(placed),
    ...roleChecks(placed),
    ...ownChecks(placed),
    ...pathChecks(config, placed),
    ...pluginChecks(config, placed),
  ],
};

const documentPaths = (secret: PostgresPasswordConfig) =>
  hasDocument(secret) ? [{ path: documentPath(secret), setBy: "path" }] : [];

const ownChecks = ({ index, secret }: Placed<PostgresPasswordConfig>): Problem[] => [
  ...documentProblems(index, secret, passwordDocument(secret)),
  ...formChecks({ index, secret }),
  ...passwordRuleProblems(index, secret.passwordRule),
];

/** A plain password on a network without TLS could be read by others. */
function formChecks({ index, secret: { passwordAs, database } }: Placed<PostgresPasswordConfig>): Problem[] {
  const isLocal = /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/.test(database.host);
  if (passwordAs !== "plain" || database.sslmode !== "disable" || isLocal) return [];
  const message = `expected scram, or an sslmode with TLS: a plain password would cross the network to ${database.host}`;
  return [{ path: ["secrets", index, "passwordAs"], message }];
}

function documents(secret: PostgresPasswordConfig) {
  const shape = documentShape(secret, passwordDocument(secret));
  return shape === undefined ? [] : [shape];
}

/** A document has the user name in it. */
function namePathChecks({ index, secret }: Placed<PostgresPasswordConfig>): Problem[] {
  if (secret.usernamePath === undefined || hasValues(secret)) return [];
  const message = "expected only with format value or both: the document has the user name";
  return [{ path: ["secrets", index, "usernamePath"], message }];
}

function usernameChecks({ index, secret: { usernamePath } }: Placed<PostgresPasswordConfig>): Problem[] {
  if (usernamePath === undefined) return [];
  const message = "expected only with strategy alternating-users: a single user keeps its name";
  return [{ path: ["secrets", index, "usernamePath"], message }];
}

/** What the plugin and its driver lack: a passphrase, Unix sockets. */
function pluginChecks(
  { sslPassword }: Checked,
  { index, secret: { database } }: Placed<PostgresPasswordConfig>,
): Problem[] {
  const at = (key: string, message: string) => ({ path: ["secrets", index, "database", key], message });
  if (database.host.startsWith("/"))
    return [at("host", "expected a name or an address for alternating-users, whose plugin has no Unix sockets")];
  if (sslPassword !== undefined && database.sslkey !== undefined)
    return [
      at(
        "sslkey",
        "expected a key without a passphrase for alternating-users, whose plugin takes none, found sslPassword",
      ),
    ];
  return [];
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
    const unverified = secret.passwordAs === "plain" && pooler?.userlist !== undefined;
    const first = names.indexOf(address);
    return [
      ...(unverified
        ? [
            {
              path: [...path, "pooler", "userlist"],
              message:
                "expected auth_query with passwordAs: plain: only the server knows the verifier then; remove this key",
            },
          ]
        : []),
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

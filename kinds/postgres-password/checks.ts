import type { ConfigPart, Placed } from "../../core/config-part";
import { documentPath, documentProblems, documentShape, hasDocument, hasValues } from "../../core/document-settings";
import { ruleProblems } from "../../core/password-rule";
import type { Problem } from "../../core/problem";
import { LONGEST_ROLE } from "../../core/schema-parts";
import { ownPassword, type PostgresPasswordConfig, passwordDocument, usernamePathOf } from "./schema";
import { alternatingUsers, singleUser } from "./traits";

type Part = ConfigPart<PostgresPasswordConfig, unknown>;

/** A password that changes in place: the store has it alone. */
export const singleUserInConfig: Part = {
  traits: singleUser,
  schema: ownPassword,
  paths: (secret) => [...documentPaths(secret), ...(hasValues(secret) ? [{ path: secret.name, setBy: "name" }] : [])],
  documents,
  addresses: ({ database }) => [database.host],
  check: (_, placed) => [...usernameChecks(placed), ...roleChecks(placed), ...ownChecks(placed)],
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
  check: (_, placed) => [...namePathChecks(placed), ...roleChecks(placed), ...ownChecks(placed)],
};

const documentPaths = (secret: PostgresPasswordConfig) =>
  hasDocument(secret) ? [{ path: documentPath(secret), setBy: "path" }] : [];

const ownChecks = ({ index, secret }: Placed<PostgresPasswordConfig>): Problem[] => [
  ...documentProblems(index, secret, passwordDocument(secret)),
  ...formChecks({ index, secret }),
  ...(secret.passwordRule === undefined ? [] : ruleProblems(secret.passwordRule)).map(({ key, message }) => ({
    path: ["secrets", index, "passwordRule", key],
    message,
  })),
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

/** The database's name is the default role, and may be longer than a role's name. */
export function roleChecks({ index, secret }: Placed<{ readonly role: string }>): Problem[] {
  if (secret.role.length <= LONGEST_ROLE) return [];
  const message = `expected at most ${LONGEST_ROLE} characters, found the database's name; name the role`;
  return [{ path: ["secrets", index, "role"], message }];
}

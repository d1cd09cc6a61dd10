import type { ConfigPart, Placed } from "../../core/config-part";
import type { Problem } from "../../core/problem";
import { LONGEST_ROLE } from "../../core/schema-parts";
import { ownPassword, type PostgresPasswordConfig, usernamePathOf } from "./schema";
import { alternatingUsers, singleUser } from "./traits";

type Part = ConfigPart<PostgresPasswordConfig, unknown>;

/** A password that changes in place: the store has it alone. */
export const singleUserInConfig: Part = {
  traits: singleUser,
  schema: ownPassword,
  paths: ({ name }) => [{ path: name, setBy: "name" }],
  addresses: ({ database }) => [database.host],
  check: (_, placed) => [...usernameChecks(placed), ...roleChecks(placed)],
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
  check: (_, placed) => roleChecks(placed),
};

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

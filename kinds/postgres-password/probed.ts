import { type Config, type PostgresPasswordConfig, referenceOf } from "../../config";
import { documentShape, hasValues } from "../../core/document-settings";
import { readersOf } from "../own-password/readers";
import type { ProbedLogins } from "../probes/order";
import { databasePathsOf } from "./paths/schema";
import { passwordDocument, usernamePathOf } from "./schema";

/** The login that the store holds, over every way of its readers. */
export function probedPassword(secret: PostgresPasswordConfig, { services, hosts }: Config): ProbedLogins {
  const { admin: _, ...database } = secret.database;
  const shape = hasValues(secret) ? undefined : documentShape(secret, passwordDocument(secret));
  const places = readersOf(secret.restart, { services, hosts });
  return {
    reading: {
      defaults: { username: secret.role },
      ...(shape === undefined ? { values: pathsRead(secret) } : { document: { path: shape.path, keys: shape.keys } }),
    },
    target: {
      ...{ of: "database", database: referenceOf(database), paths: databasePathsOf(secret) },
      places: places.map(({ host, readers }) => ({ ...(host === undefined ? {} : { host }), readers: [...readers] })),
    },
  };
}

/** A single user's name is no part of the store. */
const pathsRead = (secret: PostgresPasswordConfig): Record<string, string> => ({
  ...(secret.strategy === "alternating-users" ? { username: usernamePathOf(secret) } : {}),
  password: secret.name,
});

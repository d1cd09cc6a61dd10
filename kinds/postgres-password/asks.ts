import { passwordAdvice } from "../../components/foreign-advice";
import type { KindAsks } from "../../components/preflight-input";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import { modeOf } from "../../core/decide";
import { readersOf } from "../own-password/readers";
import { databasePathsOf, keptLists } from "./paths/schema";
import { ownUsernames, rotatedLogins } from "./roles";

/** What the preflight checks for a password that this pipeline makes. */
export const postgresPasswordAsks: KindAsks<PostgresPasswordConfig> = {
  modeOf,
  // A rollback and an emergency leave the credential in use behind, whatever the store holds of it.
  asksInUse: (mode, force) => mode === "rotation" || force,
  // Nothing else may be overwritten unseen.
  expected: ownUsernames,
  whenForeign: ({ name }, { stack }, inUse) => passwordAdvice(name, stack, inUse),
  own({ secret, state, maxAge, hosts, services }) {
    const { database, role, strategy, passwordAs } = secret;
    const form = passwordAs === "plain" ? { passwordAs } : {};
    const logins = { ...rotatedLogins(strategy, role, state), maxAge, ...form };
    const paths = databasePathsOf(secret);
    const lists = keptLists(secret, hosts);
    const over = paths.length === 0 ? {} : { paths, lists };
    // A new password of a single user is in use as soon as it is set: its ways are gone with the one in use.
    const before = strategy === "single-user" && state.rehearses === true;
    const places = before ? { places: readersOf(secret.restart, { services, hosts }) } : {};
    return { database: { ...referenceOf(database), roles: [role], logins, ...over, ...places } };
  },
};

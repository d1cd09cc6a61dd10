import { requestFor, twoWays } from "../../components/foreign-advice";
import type { KindAsks } from "../../components/preflight-input";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import { modeOf } from "../../core/decide";
import { databasePathsOf, keptLists } from "./paths/schema";
import { readersOf } from "./rehearsal/readers";
import { ownUsernames, rotatedLogins } from "./roles";

/** What the preflight checks for a password that this pipeline makes. */
export const postgresPasswordAsks: KindAsks<PostgresPasswordConfig> = {
  modeOf,
  // A rollback and an emergency leave the credential in use behind, whatever the store holds of it.
  asksInUse: (mode, force) => mode === "rotation" || force,
  // Nothing else may be overwritten unseen.
  expected: ownUsernames,
  whenForeign({ name }, { stack }, inUse) {
    if (inUse === undefined) return unknownAdvice(name, stack);
    const correct =
      inUse === 0
        ? `Make \`adopted\` the value in use, as in the store: pulumi config set --secret --path 'adopted["${name}"]'. `
        : "";
    return correct + foreignAdvice(name);
  },
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

/** The two options after an external write of a password to the store; the end of a message. */
function foreignAdvice(secret: string): string {
  return twoWays(
    `set it with \`pulumi config set --secret --path 'adopted["${secret}"]'\`, then ${requestFor(secret, '"adopt":true')}`,
    requestFor(secret, '"rotate":true,"force":true'),
  );
}

/** The two options if the store holds a value that this stack does not know as the one in use. */
function unknownAdvice(secret: string, stack: string | undefined): string {
  const named = stack === undefined ? "" : ` --stack ${stack}`;
  return (
    `Nothing was overwritten. Two ways on: adopt that value (\`rotation adopt ${secret}${named}\` copies it into the config, and ` +
    `the first rotation can be rolled back to it), or overwrite it (${requestFor(secret, '"rotate":true,"force":true')}); ` +
    "then `pulumi up`"
  );
}

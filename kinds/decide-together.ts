import { type Config, type SecretConfig, traitsOf } from "../config";
import type { Decision } from "../core/decide";
import { sharePreflights } from "../core/shared-preflights";
import { sharingGroups, withHeldBack } from "../core/shared-restarts";

type Sharing = Pick<Config, "secrets" | "restarts">;

/**
 * The secrets whose services are restarted together, by name. What Vault makes is not among them: a restart fetches a login
 * of its own from there.
 */
export function groupsOf({ secrets, restarts }: Sharing): string[][] {
  if (!restarts.shared) return [];
  const mayWait = (secret: SecretConfig) => {
    const { overlaps, suppliedBy } = traitsOf(secret);
    return overlaps && suppliedBy !== "vault";
  };
  return sharingGroups(
    secrets.map((secret) => ({ name: secret.name, restart: secret.restart, mayWait: mayWait(secret) })),
  );
}

/** The decisions on a stack's secrets, each with regard to those that it shares restarts and the platform with. */
export function decideTogether(config: Sharing, decisions: readonly Decision[]): Decision[] {
  const groups = groupsOf(config);
  const held = groups.flatMap((names) => withHeldBack(decisions.filter(({ secret }) => names.includes(secret))));
  const named = (all: readonly Decision[], { secret }: Decision) => all.find((one) => one.secret === secret);
  const shared = sharePreflights(
    inOrder(
      decisions.map((decision) => named(held, decision) ?? decision),
      groups,
      ({ secret }) => secret,
    ),
  );
  return decisions.map((decision) => named(shared, decision) ?? decision);
}

/** A group stands where its first secret does: what comes between its secrets in the config follows after it. */
export function inOrder<P>(
  items: readonly P[],
  groups: readonly (readonly string[])[],
  nameOf: (item: P) => string,
): P[] {
  return items.flatMap((item) => {
    const group = groups.find((names) => names.includes(nameOf(item)));
    if (group === undefined) return [item];
    return group[0] === nameOf(item) ? group.flatMap((name) => items.filter((one) => nameOf(one) === name)) : [];
  });
}

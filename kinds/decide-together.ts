import { type Config, type SecretConfig, traitsOf } from "../config";
import type { Decision } from "../core/decide";
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

/** The decisions on a stack's secrets, each with regard to those that it shares restarts with. */
export function decideTogether(config: Sharing, decisions: readonly Decision[]): Decision[] {
  const groups = groupsOf(config);
  const held = groups.flatMap((names) => withHeldBack(decisions.filter(({ secret }) => names.includes(secret))));
  return decisions.map((decision) => held.find(({ secret }) => secret === decision.secret) ?? decision);
}

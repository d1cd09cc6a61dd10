import type { Decision } from "./decide";

/** A secret of the config, as far as it concerns which others it shares restarts with. */
export interface Sharer {
  readonly name: string;
  /** The services that read it. */
  readonly restart: readonly string[];
  /** Whether its services may be restarted later than its value is written: its old and new value are valid at once. */
  readonly mayWait: boolean;
}

/**
 * The secrets whose services are restarted together, by name, in their order: those that may wait and have a service in
 * common, directly or through another. A group has at least two.
 */
export function sharingGroups(secrets: readonly Sharer[]): string[][] {
  const groups: Sharer[][] = [];
  for (const secret of secrets.filter(({ mayWait }) => mayWait)) {
    const joined = groups.filter((group) => group.some((other) => meets(secret, other)));
    for (const group of joined) groups.splice(groups.indexOf(group), 1);
    groups.push([...joined.flat(), secret]);
  }
  const order = (name: string) => secrets.findIndex((secret) => secret.name === name);
  return groups
    .filter((group) => group.length > 1)
    .map((group) => group.map(({ name }) => name).toSorted((a, b) => order(a) - order(b)));
}

const meets = (one: Sharer, other: Sharer) => one.restart.some((service) => other.restart.includes(service));

/** A rollback, a leak and an adopted value wait for no other secret. */
const isUrgent = ({ action, finished, state }: Decision) =>
  action === "ROLLBACK" || (action === "ADOPT" && finished !== undefined) || (action === "ROTATE" && state.emergency);

/**
 * The decisions of a group in which something urgent acts: what is not urgent and not begun yet is left to the next update,
 * so that neither its preflight nor its failure holds up what is urgent.
 */
export function withHeldBack(group: readonly Decision[]): Decision[] {
  const urgent = group.find((decision) => isUrgent(decision));
  if (urgent === undefined) return [...group];
  return group.map((decision) => {
    const { action, resumes, finished } = decision;
    const waits = action === "ROTATE" && !resumes && !isUrgent(decision) && finished !== undefined;
    return waits ? heldBack(decision, finished, urgent.secret) : decision;
  });
}

function heldBack(decision: Decision, finished: NonNullable<Decision["finished"]>, urgent: string): Decision {
  const to = finished.slots[finished.active];
  const reason = `${decision.reason}; waits for the next update, since ${urgent} is urgent`;
  return { ...decision, state: finished, action: undefined, to, reason, force: false };
}

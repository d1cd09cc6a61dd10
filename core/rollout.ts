/** How many hosts of a service may be without it at once: a number, or a share such as `25%`. */
export type MaxUnavailable = number | `${number}%`;

/** How a service's hosts are taken. */
export interface Rollout {
  readonly maxUnavailable: MaxUnavailable;
  /** So many hosts first. */
  readonly canary: number;
}

/** The hosts in the order in which they are taken. */
export interface Batches {
  readonly batches: readonly (readonly string[])[];
  /** The first of them are canaries. */
  readonly canaries: number;
}

/** A share is rounded down, as Kubernetes does, and is at least one host. */
export function atOnce(maxUnavailable: MaxUnavailable, hosts: number): number {
  if (typeof maxUnavailable === "number") return maxUnavailable;
  return Math.max(1, Math.floor((hosts * Number.parseFloat(maxUnavailable)) / 100));
}

/** The canaries first, then the rest, never more at once than allowed. Without a rollout one host after the other. */
export function batchesOf(hosts: readonly string[], rollout: Rollout | undefined): Batches {
  if (rollout === undefined) return { batches: hosts.map((host) => [host]), canaries: 0 };
  const size = atOnce(rollout.maxUnavailable, hosts.length);
  const first = chunks(hosts.slice(0, rollout.canary), size);
  return { batches: [...first, ...chunks(hosts.slice(rollout.canary), size)], canaries: first.length };
}

const chunks = (hosts: readonly string[], size: number): string[][] =>
  Array.from({ length: Math.ceil(hosts.length / size) }, (_, index) => hosts.slice(index * size, (index + 1) * size));

/** Everything in a rotation except its restarts: proofs, the role, the store, marks and the audit row. Milliseconds. */
const REST = 2 * 60_000;

/** A service that is restarted. Milliseconds. */
interface Restarted {
  /** What one restart may take, with its hooks. */
  readonly timeout: number;
  /** How many of them come one after the other; 0 for the machine that runs Pulumi. */
  readonly batches: number;
  /** How long its canaries are watched. */
  readonly bake?: number;
}

/**
 * How long a rotation may take, in milliseconds: each restart of a service may use its whole time limit, one batch of hosts
 * after the other. A token must live that long, and the market must stay closed that long.
 */
export function rotationTakes(services: readonly Restarted[]): number {
  return services.reduce((sum, { timeout, batches, bake = 0 }) => sum + timeout * Math.max(1, batches) + bake, REST);
}

/** Everything in a rotation except its restarts: proofs, the role, the store, marks and the audit row. Milliseconds. */
const REST = 2 * 60_000;

/**
 * How long a rotation may take, in milliseconds: each restart of a service on a host may use its whole time limit, one
 * after the other. A token must live that long, and the market must stay closed that long.
 *
 * @param services `timeout` in milliseconds; `hosts` is how many the service runs on, 0 for the machine that runs Pulumi.
 */
export function rotationTakes(services: readonly { readonly timeout: number; readonly hosts: number }[]): number {
  return services.reduce((sum, { timeout, hosts }) => sum + timeout * Math.max(1, hosts), REST);
}

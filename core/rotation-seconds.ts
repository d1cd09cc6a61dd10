/** Seconds for everything but the restarts: preflight, roles, store, logins, marks, audit row, and a margin. */
const BESIDE_RESTARTS = 120;

/**
 * How long a rotation may take at the most, in seconds: every restart as long as it may.
 *
 * @param services those that restart; `timeout` in milliseconds, once for each host.
 */
export function rotationSeconds(
  services: readonly { readonly hosts: readonly string[]; readonly timeout: number }[],
): number {
  const restarts = services.map(({ hosts, timeout }) => Math.max(1, hosts.length) * (timeout / 1000));
  return Math.ceil(BESIDE_RESTARTS + restarts.reduce((sum, seconds) => sum + seconds, 0));
}

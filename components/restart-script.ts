import type { ServiceConfig } from "../config";

/**
 * The POSIX shell script that restarts a service where it runs and waits until it is healthy. Prints one line on
 * success; fails with the service's last answer. It needs `curl`, and `timeout` from coreutils.
 */
export function restartScript(name: string, service: ServiceConfig, place: { name: string; address: string }): string {
  const seconds = Math.ceil(service.timeout / 1000);
  const url = service.health.replaceAll("{address}", place.address);
  const what = `${name} on ${place.name}`;
  return [
    "set -u",
    // In a shell of its own: a command of several parts (`rollout restart ... && rollout status ...`) is one to `timeout`.
    `timeout ${seconds} sh -c ${quoted(service.restart ?? `systemctl restart ${name}`)}`,
    "status=$?",
    `[ "$status" -eq 124 ] && { echo "${what} was not restarted within ${seconds} s" >&2; exit 1; }`,
    `[ "$status" -eq 0 ] || { echo "${what} could not be restarted (exit status $status)" >&2; exit 1; }`,
    `end=$(( $(date +%s) + ${seconds} ))`,
    "while :; do",
    `  answer=$(curl -sS --max-time 5 ${quoted(url)} 2>&1)`,
    `  case $(printf '%s' "$answer" | tr -d '[:space:]') in`,
    `    *'"status":"healthy"'*) echo "${what} is healthy"; exit 0 ;;`,
    "  esac",
    '  [ "$(date +%s)" -ge "$end" ] && break',
    "  sleep 0.2",
    "done",
    `echo "${what} was restarted but is not healthy after ${seconds} s; its last answer: $(printf '%s' "$answer" | cut -c1-300)" >&2`,
    "exit 1",
  ].join("\n");
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

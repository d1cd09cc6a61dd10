import type { ServiceConfig } from "../config";
import { quoted } from "../rotation/shell-word";
import { restartCommand } from "./restart-command";

/** A service must be healthy so many times in a row: one that flaps is not. */
const IN_A_ROW = 3;

/**
 * The POSIX shell script that restarts a service where it runs and waits until it is healthy. Prints one line on
 * success; fails with the service's last answer. It needs `curl`, and `timeout` from coreutils.
 *
 * Healthy is an HTTP status of 2xx with `"status":"healthy"`, three times in a row. A service whose answer names
 * `started_at` must name another than before: else the restart left the old process, with the old credential, in place.
 */
export function restartScript(name: string, service: ServiceConfig, place: { name: string; address: string }): string {
  const seconds = Math.ceil(service.timeout / 1000);
  const url = service.health.replaceAll("{address}", place.address);
  const what = `${name} on ${place.name}`;
  const next = "Mend it (its log says why) and run this again, which goes on here; or roll back.";
  return [
    "set -u",
    String.raw`ask() { curl -sS --max-time 5 -w '\n%{http_code}' ${quoted(url)} 2>&1; }`,
    String.raw`started() { sed -n 's/.*"started_at"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' | head -n 1; }`,
    `fail() { printf '%s\\n' "$1" >&2; exit 1; }`,
    "before=$(ask | started)",
    // In a shell of its own: a command of several parts (`rollout restart ... && rollout status ...`) is one to `timeout`.
    // What it prints (kubectl's progress) is for a failure's message.
    `timeout ${seconds} sh -c ${quoted(restartCommand(name, service))} >&2`,
    "status=$?",
    `[ "$status" -eq 124 ] && fail "${what} was not restarted within ${seconds} s. ${next}"`,
    `[ "$status" -eq 0 ] || fail "${what} could not be restarted (exit status $status). ${next}"`,
    `end=$(( $(date +%s) + ${seconds} )); row=0; seen=0`,
    "line='\n'",
    "while :; do",
    "  answer=$(ask); old=",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not a template's
    '  code=${answer##*"$line"}; answer=${answer%"$line"*}',
    "  case $code$(printf '%s' \"$answer\" | tr -d '[:space:]') in",
    `    2??*'"status":"healthy"'*) row=$(( row + 1 )); seen=1 ;;`,
    "    *) row=0 ;;",
    "  esac",
    '  [ -n "$before" ] && [ "$(printf \'%s\' "$answer" | started)" = "$before" ] && { old=1; row=0; }',
    `  [ "$row" -ge ${IN_A_ROW} ] && { echo "${what} is healthy"; exit 0; }`,
    // Whoever is healthy at the end is given the time to show that it stays so.
    '  [ "$row" -eq 0 ] && [ "$(date +%s)" -ge "$end" ] && break',
    "  sleep 0.15",
    "done",
    `[ -z "$old" ] || fail "${what} still runs as the process that was started at $before: the restart command restarted nothing, and it may hold the old credential. Correct its restart command in the config (services.${name}.restart) and run this again."`,
    `next=${quoted(next)}; flaps=; [ "$seen" -eq 0 ] || flaps="It was healthy in between, never ${IN_A_ROW} times in a row. "`,
    `fail "${what} was restarted but is not healthy after ${seconds} s; its last answer: $(printf '%s' "$answer" | cut -c1-300) (HTTP $code). $flaps$next"`,
  ].join("\n");
}

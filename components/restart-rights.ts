import type { ServiceConfig } from "../config";
import { quoted } from "../core/shell-word";
import { kubectlFor, workloadOf } from "./restart-command";

type Ways = Pick<ServiceConfig, "restart" | "kubernetes" | "compose">;

/**
 * A POSIX shell script that checks whether the account may restart a service, and changes nothing: it never runs the
 * restart. It prints what is known, and fails with the reason if the restart would be refused; what cannot be checked is
 * reported and is no failure.
 */
export function restartRights(name: string, { restart, kubernetes, compose }: Ways): string | undefined {
  if (kubernetes !== undefined) return kubernetesRights(name, kubernetes);
  // `docker compose ps`, which looks for the service, needs the same right as the restart.
  if (compose !== undefined) return undefined;
  const words = wordsOf(restart ?? `systemctl restart ${name}`);
  if (words === undefined) return undefined;
  const [program = ""] = words;
  if (program === "sudo") return sudoRights(words.slice(1));
  const unit = unitOf(words);
  if (unit !== undefined) return systemdRights(unit);
  const missing = `echo ${quoted(`there is no command ${program}`)}; exit 1`;
  return `command -v ${quoted(program)} >/dev/null || { ${missing}; }`;
}

/** The words of a command that needs no shell; undefined for any other, which is not parsed here. */
function wordsOf(command: string): string[] | undefined {
  return /^[\w@%+=:,./ -]+$/.test(command) && !/^\s*\w+=/.test(command)
    ? command.split(" ").filter((word) => word !== "")
    : undefined;
}

interface Unit {
  readonly name: string;
  /** Of the account itself, which may restart it. */
  readonly user: boolean;
}

/** What `systemctl [OPTIONS] restart UNIT` restarts; undefined for any other command. */
function unitOf([program = "", ...rest]: readonly string[]): Unit | undefined {
  const [verb = "", unit, ...more] = rest.filter((word) => !word.startsWith("-"));
  if (!/(^|\/)systemctl$/.test(program) || !/restart$/.test(verb) || unit === undefined || more.length > 0)
    return undefined;
  return { name: unit.includes(".") ? unit : `${unit}.service`, user: rest.includes("--user") };
}

function kubernetesRights(name: string, kubernetes: NonNullable<Ways["kubernetes"]>): string {
  const [kubectl, workload] = [kubectlFor(kubernetes), workloadOf(name, kubernetes)];
  const refused = `kubectl says that this account may not patch ${workload}, which a rollout does (\`${kubectl} auth can-i patch ${workload}\`)`;
  return `[ "$(${kubectl} auth can-i patch ${workload} 2>/dev/null | tail -n 1)" != no ] || { echo ${quoted(refused)}; exit 1; }`;
}

const SEE = "see docs/restarts.md, systemd";

/** `sudo -l` with a command lists it if it is allowed, and does not run it. */
function sudoRights(words: readonly string[]): string {
  const { options, command } = withoutOptions(words);
  const asked = command.map(quoted).join(" ");
  const shown = command.join(" ");
  const unit = unitOf(command);
  return [
    ...(unit === undefined ? [] : existing(unit)),
    `said=$(sudo -n -l ${options.map(quoted).join(" ")} -- ${asked} 2>&1 </dev/null) || {`,
    `  echo "$(id -un) may not run ${shown} by sudo: $(printf '%s' "$said" | tail -n 1); add to sudoers: $(id -un) ALL=(root) NOPASSWD: $(command -v ${quoted(command[0] ?? "")} || echo ${quoted(command[0] ?? "")}) ${command.slice(1).join(" ")} (${SEE})"`,
    "  exit 1; }",
    // Allowed with a password is not enough. The rule in force is known only if all of them, or this one, need none.
    "sudo -n -v 2>/dev/null </dev/null && exit 0",
    `sudo -n -l 2>/dev/null </dev/null | grep NOPASSWD: | grep -qE "NOPASSWD:.*(ALL|$(printf '%s' "$said" | tail -n 1 | sed 's/[][\\\\.*^$+?(){}|]/\\\\&/g'))" || echo 'whether sudo asks for a password could not be asked'`,
    "exit 0",
  ].join("\n");
}

/** The options of sudo before the command; `-n` is always added. */
function withoutOptions(words: readonly string[]): { options: string[]; command: string[] } {
  const options: string[] = [];
  let at = 0;
  while (words[at]?.startsWith("-") && words[at] !== "--") {
    const option = words[at] as string;
    const takesValue = /^-[ugh]$|^--(user|group|host)$/.test(option);
    if (option !== "-n" && option !== "--non-interactive")
      options.push(option, ...(takesValue ? [words[at + 1] ?? ""] : []));
    at += takesValue ? 2 : 1;
  }
  return { options, command: words.slice(words[at] === "--" ? at + 1 : at) };
}

/**
 * Whether the unit exists, and whether polkit lets the account restart it. An account that is not root can query polkit
 * about a unit only through systemd: by a restart in the job mode `isolate`, which systemd always refuses ("Isolate is
 * only valid for start"), but only after the check of the right.
 */
function systemdRights({ name, user }: Unit): string {
  const fix = `allow it by a polkit rule, or by sudo (${SEE})`;
  return [
    "command -v systemctl >/dev/null || { echo 'there is no systemctl'; exit 1; }",
    ...existing({ name, user }),
    `refused() { echo "$(id -un) may not restart ${name}: $1; ${fix}"; exit 1; }`,
    ...(user ? ["exit 0"] : POLKIT.map((line) => line.replaceAll("UNIT", name))),
  ].join("\n");
}

/** A fake or an old systemctl without `show` is no reason to fail. */
function existing({ name, user }: Unit): string[] {
  const scope = user ? "--user " : "";
  return [
    `state=$(systemctl ${scope}show -p LoadState ${quoted(name)} 2>/dev/null | sed -n 's/^LoadState=//p')`,
    `case $state in not-found|masked|bad-setting|error) echo "the unit ${name} cannot be restarted: systemctl says it is $state"; exit 1 ;; esac`,
    `if systemctl ${scope}show -p RefuseManualStart ${quoted(name)} 2>/dev/null | grep -qx RefuseManualStart=yes; then echo 'the unit ${name} refuses a start by hand'; exit 1; fi`,
  ];
}

const POLKIT = [
  'ask() { pkcheck --action-id org.freedesktop.systemd1.manage-units "$@" --process $$ 2>&1 </dev/null; }',
  "if command -v pkcheck >/dev/null; then",
  "  said=$(ask --detail unit UNIT --detail verb restart); status=$?",
  '  [ "$status" -ne 0 ] || exit 0',
  // 1 to 3: the answer is no. Above: only root may query the details.
  '  [ "$status" -gt 3 ] || refused "polkit says no ($said)"',
  "  ask >/dev/null && exit 0",
  "fi",
  '[ "$(id -u)" -ne 0 ] || exit 0',
  "if [ -d /run/systemd/system ] && command -v busctl >/dev/null; then",
  "  said=$(timeout 10 busctl --system --allow-interactive-authorization=no call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager RestartUnit ss UNIT isolate 2>&1 </dev/null)",
  '  case $said in *"Isolate is only valid"*) exit 0 ;; *uthentication*|*"ccess denied"*|*"not authorized"*) refused "$(printf \'%s\' "$said" | tail -n 1)" ;; esac',
  "fi",
  "echo 'whether it may restart UNIT could not be asked'",
  "exit 0",
];

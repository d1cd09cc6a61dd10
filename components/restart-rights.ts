import type { ServiceConfig } from "../config";
import type { Duration } from "../core/duration";
import { quoted } from "../core/shell-word";
import { kubectlFor, restartCommand, syncedOf, workloadOf } from "./restart-command";

type Ways = Pick<ServiceConfig, "restart" | "reload" | "kubernetes" | "compose">;

/**
 * A POSIX shell script that checks whether the account may restart a service, and changes nothing: it never runs the
 * restart. It prints what is known, and fails with the reason if the restart would be refused; what cannot be checked is
 * reported and is no failure.
 */
export function restartRights(name: string, ways: Ways): string | undefined {
  const { reload, kubernetes, compose } = ways;
  if (typeof reload === "object" && "http" in reload) return "echo 'whether it takes the request could not be asked'";
  const ownCommand = typeof reload === "string";
  if (kubernetes !== undefined && !ownCommand) return kubernetesRights(name, kubernetes);
  // `docker compose ps`, which looks for the service, needs the same right as the restart.
  if (compose !== undefined && !ownCommand) return undefined;
  const words = wordsOf(restartCommand(name, { ...ways, timeout: 0 as Duration }));
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
  /** What is done to it. */
  readonly verb: Verb;
}

/** By systemctl's verb, which polkit is told too: what it does, and systemd's method for it if it can be asked about. */
const VERBS = {
  restart: { does: "restart", method: "RestartUnit" },
  "try-restart": { does: "restart", method: "TryRestartUnit" },
  "reload-or-restart": { does: "restart", method: "ReloadOrRestartUnit" },
  reload: { does: "reload", method: "ReloadUnit" },
  kill: { does: "signal", method: undefined },
} as const;

type Verb = keyof typeof VERBS;

/** What `systemctl [OPTIONS] restart UNIT` restarts; undefined for any other command. */
function unitOf([program = "", ...rest]: readonly string[]): Unit | undefined {
  const [verb = "", unit, ...more] = rest.filter((word) => !word.startsWith("-"));
  if (!/(^|\/)systemctl$/.test(program) || !Object.hasOwn(VERBS, verb) || unit === undefined || more.length > 0)
    return undefined;
  return { name: unit.includes(".") ? unit : `${unit}.service`, user: rest.includes("--user"), verb: verb as Verb };
}

function kubernetesRights(name: string, kubernetes: NonNullable<Ways["kubernetes"]>): string {
  const [kubectl, workload] = [kubectlFor(kubernetes), workloadOf(name, kubernetes)];
  return [
    ...["patch", "list", "watch"].map((verb) => canI(kubectl, `${verb} ${workload}`, "which a rollout does")),
    ...standsStill(kubectl, workload),
    ...syncRights(kubectl, kubernetes),
  ].join("\n");
}

/** A variable of the shell, as a part of a command and of a message. */
const TARGET = "$target";

/**
 * Fails if the account may not do what is asked, with the server's own reason if it gave one. What cannot be asked counts as
 * allowed.
 */
function canI(kubectl: string, what: string, why: string): string {
  const refused = `kubectl says that this account may not ${what}, ${why} (\`${kubectl} auth can-i ${what}\`: `;
  const said = quoted(refused).replaceAll(TARGET, `'"${TARGET}"'`);
  return `said=$(${kubectl} auth can-i ${what} 2>/dev/null | tail -n 1); case $said in no|"no "*) echo ${said}"$said)"; exit 1 ;; esac`;
}

/** What a rollout does not restart, or not by itself: kubectl would say so after the value was written. */
function standsStill(kubectl: string, workload: string): string[] {
  const paused = `${workload} is paused: a restart would be refused; \`${kubectl} rollout resume ${workload}\``;
  const onDelete = `${workload} has the update strategy OnDelete: its pods would keep the old credential; set RollingUpdate`;
  return [
    `case $(${kubectl} get ${quoted(workload)} -o jsonpath='{.spec.paused} {.spec.updateStrategy.type}' 2>/dev/null) in`,
    `  true*) echo ${quoted(paused)}; exit 1 ;; *OnDelete) echo ${quoted(onDelete)}; exit 1 ;; esac`,
  ];
}

/** The rights that the wait for a sync needs, and settings by which no new value would ever come. */
function syncRights(kubectl: string, kubernetes: NonNullable<Ways["kubernetes"]>): string[] {
  const synced = syncedOf(kubernetes);
  if (synced === undefined) return [];
  const { resource, name, kind } = synced;
  const never = (field: string) =>
    `echo ${quoted(`the ${kind} ${name} has ${field}: it never takes a new value`)}; exit 1`;
  const hasKeys = Object.keys(kubernetes.sync?.keys ?? {}).length > 0;
  const get = (field: string) => `$(${kubectl} get ${resource} ${name} -o jsonpath=${quoted(field)} 2>/dev/null)`;
  return [
    canI(kubectl, `patch ${resource}/${name}`, "which requests a sync"),
    // By its name: a role may allow this one alone.
    ...(hasKeys
      ? [
          `target=${get("{.spec.target.name}{.spec.destination.name}")}; : "\${target:=${name}}"`,
          canI(kubectl, `get secrets/${TARGET}`, "which compares the value"),
        ]
      : []),
    `case ${get("{.spec.refreshPolicy}/{.spec.version}")} in`,
    `  CreatedOnce/*) ${never("refreshPolicy CreatedOnce")} ;; */|*/0) ;; */*) ${never("a fixed version")} ;; esac`,
  ];
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
function systemdRights({ name, user, verb }: Unit): string {
  const { does } = VERBS[verb];
  const fix = `allow it by a polkit rule, or by sudo (${SEE})`;
  return [
    "command -v systemctl >/dev/null || { echo 'there is no systemctl'; exit 1; }",
    ...existing({ name, user, verb }),
    `refused() { echo "$(id -un) may not ${does} ${name}: $1; ${fix}"; exit 1; }`,
    ...(user ? ["exit 0"] : polkit(name, verb)),
  ].join("\n");
}

/** A fake or an old systemctl without `show` is no reason to fail. */
function existing({ name, user, verb }: Unit): string[] {
  const { does } = VERBS[verb];
  const show = (property: string) =>
    `systemctl ${user ? "--user " : ""}show -p ${property} ${quoted(name)} 2>/dev/null`;
  const unless = (property: string, said: string) =>
    `if ${show(property.split("=")[0] ?? "")} | grep -qx ${property}; then echo ${quoted(said)}; exit 1; fi`;
  const own = {
    restart: [unless("RefuseManualStart=yes", `the unit ${name} refuses a start by hand`)],
    reload: [
      unless("CanReload=no", `the unit ${name} has no ExecReload: set reload: { signal: SIGHUP }, or restart it`),
    ],
    signal: [],
  };
  return [
    `state=$(${show("LoadState")} | sed -n 's/^LoadState=//p')`,
    `case $state in not-found|masked|bad-setting|error) echo "the unit ${name} cannot be ${does}ed: systemctl says it is $state"; exit 1 ;; esac`,
    ...own[does],
  ];
}

/** Asks polkit by itself, then through systemd if that has a method for the verb. */
function polkit(unit: string, verb: Verb): string[] {
  const { does, method } = VERBS[verb];
  const lines = method === undefined ? [...POLKIT, ...UNKNOWN] : [...POLKIT, ...SYSTEMD, ...UNKNOWN];
  return lines.map((line) =>
    line
      .replaceAll("UNIT", unit)
      .replaceAll("VERB", verb)
      .replaceAll("METHOD", method ?? "")
      .replaceAll("DOES", does),
  );
}

const POLKIT = [
  'ask() { pkcheck --action-id org.freedesktop.systemd1.manage-units "$@" --process $$ 2>&1 </dev/null; }',
  "if command -v pkcheck >/dev/null; then",
  "  said=$(ask --detail unit UNIT --detail verb VERB); status=$?",
  '  [ "$status" -ne 0 ] || exit 0',
  // 1 to 3: the answer is no. Above: only root may query the details.
  '  [ "$status" -gt 3 ] || refused "polkit says no ($said)"',
  "  ask >/dev/null && exit 0",
  "fi",
  '[ "$(id -u)" -ne 0 ] || exit 0',
];

const SYSTEMD = [
  "if [ -d /run/systemd/system ] && command -v busctl >/dev/null; then",
  "  said=$(timeout 10 busctl --system --allow-interactive-authorization=no call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager METHOD ss UNIT isolate 2>&1 </dev/null)",
  '  case $said in *"Isolate is only valid"*) exit 0 ;; *uthentication*|*"ccess denied"*|*"not authorized"*) refused "$(printf \'%s\' "$said" | tail -n 1)" ;; esac',
  "fi",
];

const UNKNOWN = ["echo 'whether it may DOES UNIT could not be asked'", "exit 0"];

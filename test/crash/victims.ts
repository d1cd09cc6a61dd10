import { readdir, readFile } from "node:fs/promises";
import { poll } from "../../dev/lab/poll";
import { isLeftByEngine } from "../../dev/lab/stack-processes";
import type { Bench } from "../engine/harness";

/** What is killed: everything at once, as by a power cut, or one process alone. */
export const VICTIMS = ["machine", "engine", "language host", "plugin", "step"] as const;
export type Victim = (typeof VICTIMS)[number];

/** What a process of the run has in its command line, by the effect that it is killed at. */
interface Actors {
  readonly plugin?: string;
  readonly step?: string;
}

const ACTORS: readonly (readonly [RegExp, Actors])[] = [
  [/^postgres: ALTER ROLE \S+$/, { plugin: "command", step: "steps/set-role.mjs" }],
  [/^postgres: (ALTER|COMMENT ON) ROLE \S+, COMMIT$/, { plugin: "command", step: "steps/verify-login.mjs" }],
  // In the plugin's transaction, or in that of a step.
  [/^postgres: (ALTER|COMMENT ON) ROLE /, {}],
  [/^postgres: .*\b(ROLE|GRANT|REVOKE)\b(?!.*rotation)/, { plugin: "postgresql" }],
  [/^postgres: INSERT INTO secret_rotation_log/, { plugin: "command", step: "steps/audit-record.mjs" }],
  [/^postgres: /, { plugin: "command", step: "steps/audit-record.mjs" }],
  [/^vault: change rotate-role/, { plugin: "command", step: "steps/vault-rotation.mjs" }],
  [/^vault: change rotate-root/, { plugin: "command", step: "steps/vault-rotate-root.mjs" }],
  [/^vault: make a login/, { plugin: "command", step: "steps/lease-proof.mjs" }],
  [/^vault: end a login/, { plugin: "command", step: "steps/lease-" }],
  [/^(vault: write|aws: Put)/, { plugin: "command", step: "steps/store-write.mjs" }],
  [/^(vault: mark|aws: (Tag|Untag))/, { plugin: "command", step: "steps/store-mark.mjs" }],
  [/^vault: /, { plugin: "vault" }],
  [/^aws: (Create|Update)/, { plugin: "aws" }],
  [/^restart /, { plugin: "command", step: "was restarted but is not healthy" }],
];

const actorsOf = (effect: string): Actors => ACTORS.find(([pattern]) => pattern.test(effect))?.[1] ?? {};

/** Who can be killed while the effect is under way. The language host runs between the state's lock and its unlock. */
export function victimsOf(effect: string): Victim[] {
  const actors = actorsOf(effect);
  return VICTIMS.filter((victim) => {
    if (victim === "plugin" || victim === "step") return victim in actors;
    return victim !== "language host" || !/^state: (un)?lock$/.test(effect);
  });
}

/**
 * Kills the victim with SIGKILL.
 * @throws Error where no such process runs: the effect is not done by whom it is thought to be
 */
export async function killVictim(bench: Bench, victim: Victim, effect: string): Promise<void> {
  const processes = await processesOf(bench);
  const pids = processes.filter(({ command }) => isVictim(victim, effect, command)).map(({ pid }) => pid);
  if (pids.length === 0) {
    throw new Error(`no ${victim} at "${effect}" among ${processes.map(({ command }) => command).join(" | ")}`);
  }
  for (const pid of pids) kill(pid);
  if (victim === "machine") await endAll(bench);
  // A killed process may linger while its memory is freed: the one who asks next must find it gone.
  await poll(async () => (await processesOf(bench)).every(({ pid }) => !pids.includes(pid)), {
    what: `the end of the ${victim}`,
    limitMs: 60_000,
  });
}

function isVictim(victim: Victim, effect: string, command: string): boolean {
  const { plugin, step } = actorsOf(effect);
  const isEngine = /(^|\/)pulumi up /.test(command);
  switch (victim) {
    case "machine":
    case "engine":
      return isEngine;
    case "language host":
      return HOST.test(command);
    case "plugin":
      return (
        plugin !== undefined &&
        new RegExp(`plugins/main\\.mjs ${plugin}( |$)|pulumi-resource-${plugin}( |$)`).test(command)
      );
    case "step":
      return step !== undefined && command.includes(step);
  }
}

/** Pulumi's own language host does not notice that its engine is gone. */
const HOST = /(^|\/)pulumi-language-nodejs /;

/**
 * Waits until the run and all that it started have ended by themselves, then ends what outlives an engine that was
 * killed: a language host, and the plugins, which look for their engine every five minutes.
 * @param isIdle whether nothing is under way that a plugin does
 * @returns those others that had to be ended, by their commands
 */
export async function outlived(
  bench: Bench,
  run: Promise<unknown>,
  limitMs: number,
  victim: Victim,
  isIdle: () => boolean = () => true,
): Promise<string[]> {
  let isOver = false;
  void run.finally(() => (isOver = true));
  const engineDied = victim === "machine" || victim === "engine";
  const stays = (command: string) => HOST.test(command) || (engineDied && isLeftByEngine(command));
  const others = async () => (await ofRun(bench)).filter(({ command }) => !stays(command));
  const nobodyLeft = async () => isOver && isIdle() && (await others()).length === 0;
  try {
    await poll(nobodyLeft, { what: "the end of the run", limitMs, everyMs: 100 });
    await endAll(bench);
    return [];
  } catch {
    const left = await others();
    await endAll(bench);
    return left.map(({ command }) => command.slice(0, 200));
  }
}

/** Ends every process of the run, those that it starts meanwhile included. */
async function endAll(bench: Bench): Promise<void> {
  await poll(
    async () => {
      const alive = await ofRun(bench);
      for (const { pid } of alive) kill(pid);
      return alive.length === 0;
    },
    { what: "the end of every process", limitMs: 60_000 },
  );
}

export interface Process {
  readonly pid: number;
  readonly command: string;
  /** Runs on this side: started for the stack, not by a host that was asked over SSH. */
  readonly here: boolean;
}

const ofRun = async (bench: Bench) => (await processesOf(bench)).filter(({ here }) => here);

/** The processes of the stack's run, and the restart scripts that run on the lab's hosts. */
export async function processesOf({ stack, lab }: Bench): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const [home, hosts] = [`PULUMI_HOME=${stack.env.PULUMI_HOME}`, lab.hosts.map(({ dir }) => `HOME=${dir}`)];
  const found = await Promise.all(
    pids.map(async (pid): Promise<Process[]> => {
      const environment = (await readProc(pid, "environ")).split("\0");
      const here = environment.includes(home);
      if (!here && !environment.some((entry) => hosts.includes(entry))) return [];
      return [{ pid, here, command: (await readProc(pid, "cmdline")).split("\0").join(" ") }];
    }),
  );
  return found.flat();
}

const readProc = (pid: number, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}

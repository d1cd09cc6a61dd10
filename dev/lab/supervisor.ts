import { writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ManagedProcess, startProcess } from "./processes";
import type { Fault, ServiceConfig } from "./services/types";

/** A requested start or restart. */
export interface Restart {
  service: string;
  at: Date;
}

/** What `systemctl` prints and exits with. */
export interface Answer {
  code: number;
  output: string;
}

/** Stands around what a host does to a service: may hold it back before it is done, or its answer after that. */
export type Around = <T>(effect: string, act: () => Promise<T>) => Promise<T>;

const straight: Around = (_effect, act) => act();

interface Unit {
  config: ServiceConfig;
  configFile: string;
  logFile: string;
  process?: ManagedProcess;
  since: Date;
  fault?: Fault | undefined;
}

/** Runs services as processes and answers as systemd does. */
export class Supervisor {
  /** Every restart by `systemctl` since the beginning, in order. */
  readonly restarts: Restart[] = [];
  /** Every reload, by `systemctl reload` or a signal, in order. */
  readonly reloads: Restart[] = [];
  private readonly units = new Map<string, Unit>();

  constructor(
    private readonly dir: string,
    private readonly program: string,
    private readonly around: Around = straight,
  ) {}

  /** Writes the service's config and starts it; does not wait until it is healthy. */
  async add(config: ServiceConfig): Promise<void> {
    const configFile = join(this.dir, `${config.name}.json`);
    await writeFile(configFile, JSON.stringify(config), { mode: 0o600 });
    const unit: Unit = { config, configFile, logFile: join(this.dir, `${config.name}.log`), since: new Date() };
    this.units.set(config.name, unit);
    await this.start(unit);
  }

  /** The log of a service. Throws when there is no such service. */
  logFile(service: string): string {
    return this.unit(service).logFile;
  }

  /** Lets a service misbehave, now and after restarts; `undefined` ends it. */
  async setFault(service: string, fault: Fault | undefined): Promise<void> {
    const unit = this.unit(service);
    unit.fault = fault;
    const file = unit.config.files.fault;
    if (fault) writeFileSync(file, JSON.stringify(fault));
    else await rm(file, { force: true });
  }

  /** `systemctl VERB NAME...`, as run on the host. */
  control(verb: string, names: readonly string[]): Promise<Answer> {
    return this.controlAll(verb, names, this.around);
  }

  /** The same with nothing around it. */
  controlDirectly(verb: string, names: readonly string[]): Promise<Answer> {
    return this.controlAll(verb, names, straight);
  }

  private async controlAll(verb: string, names: readonly string[], around: Around): Promise<Answer> {
    const verbs = ["start", "stop", "restart", "reload", "kill", "is-active", "status"];
    if (!verbs.includes(verb)) return { code: 1, output: `Unknown command verb ${verb}.` };
    if (names.length === 0) return { code: 1, output: "Too few arguments." };
    let result: Answer = { code: 0, output: "" };
    for (const name of names.map((given) => given.replace(/\.service$/, ""))) {
      const act = () => this.controlOne(verb, name);
      const answer = verb === "restart" ? await around(`restart ${name}`, act) : await act();
      const output = [result.output, answer.output].filter((text) => text !== "").join("\n");
      result = { code: answer.code || result.code, output };
    }
    return result;
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    await Promise.all([...this.units.values()].map((unit) => unit.process?.stop(2000)));
  }

  private async controlOne(verb: string, name: string): Promise<Answer> {
    const unit = this.units.get(name);
    if (!unit) return unknown(verb, name);
    if (verb === "is-active") return activity(unit);
    if (verb === "status") return status(unit);
    // Whatever signal is asked for, it is SIGHUP: the only one that the lab's services know.
    if (verb === "reload" || verb === "kill") return this.reload(verb, name, unit);
    if (verb === "restart") this.restarts.push({ service: name, at: new Date() });
    if (verb === "restart" && unit.fault?.kind === "not-restarted") return { code: 0, output: "" };
    if (verb !== "start") await unit.process?.stop(2000);
    if (verb === "restart" || (verb === "start" && !isRunning(unit))) await this.start(unit);
    return { code: 0, output: "" };
  }

  private reload(verb: string, name: string, unit: Unit): Answer {
    if (!isRunning(unit))
      return { code: 1, output: `Failed to ${verb} ${name}.service: Unit ${name}.service is not active.` };
    this.reloads.push({ service: name, at: new Date() });
    if (unit.fault?.kind !== "not-restarted") process.kill(unit.process?.pid ?? 0, "SIGHUP");
    return { code: 0, output: "" };
  }

  private async start(unit: Unit): Promise<void> {
    unit.since = new Date();
    unit.process = await startProcess({
      command: process.execPath,
      args: [this.program, unit.configFile],
      env: { PATH: process.env.PATH, HOME: this.dir, TZ: "UTC" },
      cwd: this.dir,
      logFile: unit.logFile,
    });
  }

  private unit(name: string): Unit {
    const unit = this.units.get(name);
    if (!unit) throw new Error(`expected one of ${[...this.units.keys()].join(", ")}, found "${name}"`);
    return unit;
  }
}

function isRunning(unit: Unit): boolean {
  return unit.process !== undefined && unit.process.ended() === undefined;
}

function activity(unit: Unit): Answer {
  if (isRunning(unit)) return { code: 0, output: "active" };
  return { code: 3, output: unit.process?.ended() === "exit code 0" ? "inactive" : "failed" };
}

function status(unit: Unit): Answer {
  const { output, code } = activity(unit);
  const substate = output === "active" ? "running" : (unit.process?.ended() ?? "dead");
  const lines = [`* ${unit.config.name}.service`, `     Loaded: loaded (${unit.configFile}; enabled)`];
  lines.push(`     Active: ${output} (${substate}) since ${unit.since.toISOString()}`);
  if (output === "active") lines.push(`   Main PID: ${unit.process?.pid} (node)`);
  return { code, output: lines.join("\n") };
}

// systemd's own words and exit codes for a unit that does not exist.
function unknown(verb: string, name: string): Answer {
  if (verb === "is-active") return { code: 4, output: "inactive" };
  if (verb === "status") return { code: 4, output: `Unit ${name}.service could not be found.` };
  if (verb === "stop") return { code: 5, output: `Failed to stop ${name}.service: Unit ${name}.service not loaded.` };
  return { code: 5, output: `Failed to ${verb} ${name}.service: Unit ${name}.service not found.` };
}

import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import type { RunLine } from "../../../cli/render/run-lines";
import { PROBE_APPLICATION } from "../../../clients/postgres";
import type { ProbeFigures } from "../../../core/probes";
import { clockAt, type DeployOptions, deployStack } from "../../lab/deploy";
import type { Lab } from "../../lab/lab";
import type { PulumiResult, Stack } from "../../lab/stack";
import { type Drops, startTcpProxy, type TcpProxy } from "../../lab/tcp-proxy";

const SECRET = "database/password";

/** A row of the audit log, as far as probes are concerned. */
export interface ProbedRow {
  readonly action: string;
  readonly status: string;
  readonly generation: number;
  readonly probes: ProbeFigures | null;
}

/** How a run of the CLI ended. */
export interface Ended {
  readonly exitCode: number;
  readonly lines: readonly RunLine[];
  readonly result: Extract<RunLine, { readonly type: "result" }> | undefined;
  readonly stderr: string;
}

/** A platform with probes, on which one way to the database leads through a proxy that cuts connections of the probes. */
export class ProbeLife {
  private readonly drops: Drops[] = [];

  private constructor(
    readonly lab: Lab,
    readonly stack: Stack,
    private readonly proxy: TcpProxy,
  ) {}

  /** @param probe the config's */
  static async begin(lab: Lab, deploy: Omit<DeployOptions, "lab">, probe: object): Promise<ProbeLife> {
    const { host, port } = lab.postgres;
    const proxy = await startTcpProxy({ host, port });
    const shapes = { [SECRET]: { paths: [`${proxy.host}:${proxy.port}`] } };
    const stack = await deployStack({ ...deploy, lab, shapes, config: { ...deploy.config, probe } });
    return new ProbeLife(lab, stack, proxy);
  }

  /** Cuts so many of the next probes over the proxy. */
  drop(times: number): void {
    this.drops.push(this.proxy.drop(PROBE_APPLICATION, times));
  }

  /** How many were cut since the last time. */
  dropped(): number {
    return this.drops.splice(0).reduce((sum, { count }) => sum + count, 0);
  }

  day(days: number): Promise<void> {
    return this.stack.configure("lab", clockAt(days));
  }

  /** `pulumi up`. @param onOutput receives what it prints, as it comes */
  up(onOutput: (text: string) => void = () => undefined, onStart?: (pid: number) => void): Promise<PulumiResult> {
    return this.stack.pulumi(["up", "--yes", "--skip-preview"], { onOutput, ...(onStart && { onStart }) });
  }

  /** Rotates by a request, with `pulumi up`. */
  async rotate(id: string, onOutput: (text: string) => void): Promise<PulumiResult> {
    await this.stack.configure("request", { id, secret: SECRET, rotate: true, reason: "probes" });
    const result = await this.up(onOutput);
    await this.stack.configure("request", undefined);
    return result;
  }

  /** `rotation run NAME`. @param happens receives each line, as it comes */
  async run(args: readonly string[], happens: (line: RunLine) => void = () => undefined): Promise<Ended> {
    const { projectDir, env, name } = this.stack;
    const command = [join(projectDir, "dist/cli/rotation.mjs"), "run", SECRET, "--yes", "--json", ...args];
    const child = execa(process.execPath, [...command, "--stack", name], {
      ...{ cwd: projectDir, env, reject: false, stdin: "ignore" },
    });
    const lines: RunLine[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      const parsed = JSON.parse(line) as RunLine;
      lines.push(parsed);
      happens(parsed);
    });
    const { exitCode, stderr } = await child;
    const result = lines.find((line) => line.type === "result");
    return { exitCode: exitCode ?? -1, lines, result, stderr };
  }

  /** The newest rows first. */
  async rows(count: number): Promise<ProbedRow[]> {
    const { rows } = await this.lab.postgres.query(
      "SELECT action, status, generation, outputs -> 'probes' AS probes FROM secret_rotation_log ORDER BY id DESC LIMIT $1",
      [count],
    );
    return rows as ProbedRow[];
  }

  /** The processes of this stack's probes. */
  async probers(): Promise<number[]> {
    const { stdout } = await execa("pgrep", ["-f", `${this.stack.projectDir}/dist/steps/probe\\.mjs`], {
      reject: false,
    });
    return stdout
      .split("\n")
      .filter((pid) => pid !== "")
      .map(Number);
  }

  async end(): Promise<void> {
    await this.proxy.stop();
  }
}

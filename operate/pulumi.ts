import { OperationError } from "./errors";
import type { Project } from "./project";

/** What a `pulumi` command answered. */
export interface PulumiAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let prepared: Promise<NodeJS.ProcessEnv> | undefined;

/**
 * The environment to run `pulumi` in: as it is where `pulumi` is on PATH, else with the toolchain's own. Asked once a
 * process.
 * @throws ToolchainError
 */
export function pulumiEnvironment(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  prepared ??= prepare(env);
  return prepared;
}

async function prepare(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const { findOnPath } = await import("../toolchain/find");
  if ((await findOnPath("pulumi", env)) !== undefined) return { PULUMI_SKIP_UPDATE_CHECK: "true", ...env };
  const { resolveToolchain } = await import("../toolchain/resolve");
  return { ...env, ...(await resolveToolchain({ env })).env };
}

/** Runs `pulumi` on the project's stack; a non-zero exit is an answer. `input` goes to its stdin. */
export async function runPulumi(project: Project, args: readonly string[], input?: string): Promise<PulumiAnswer> {
  // Loaded here alone: commands that read do without Pulumi, and start sooner.
  const { execa } = await import("execa");
  const env = await pulumiEnvironment(project.env);
  const { exitCode, stdout, stderr, message } = await execa(
    "pulumi",
    [...args, "--stack", project.stack, "--non-interactive"],
    {
      cwd: project.dir,
      env,
      extendEnv: false,
      reject: false,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    },
  );
  if (exitCode === undefined) throw new OperationError(`pulumi could not be run: ${message}`);
  return { exitCode, stdout, stderr };
}

import { OperationError, UsageError } from "./errors";
import type { Project } from "./project";

/** How a `pulumi` command ended. */
export interface PulumiAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const prepared = new WeakMap<NodeJS.ProcessEnv, Promise<NodeJS.ProcessEnv>>();

/**
 * The environment to run `pulumi` in: unchanged if `pulumi` is on PATH, else with the toolchain's own on PATH. Nothing is
 * downloaded or built here: a command that reads must not take minutes. Determined once for a project's environment.
 * @throws UsageError if there is none, with the command that installs it
 */
export function pulumiEnvironment(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const found = prepared.get(env) ?? prepare(env);
  prepared.set(env, found);
  return found;
}

async function prepare(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const { findOnPath } = await import("../toolchain/find");
  if ((await findOnPath("pulumi", env)) !== undefined) return { PULUMI_SKIP_UPDATE_CHECK: "true", ...env };
  const [{ pathOfEngine }, { ToolchainError }] = await Promise.all([
    import("../toolchain/resolve"),
    import("../toolchain/types"),
  ]);
  const PATH = await pathOfEngine(env).catch((error: unknown) => {
    throw error instanceof ToolchainError ? new UsageError(NO_PULUMI) : error;
  });
  return { PULUMI_SKIP_UPDATE_CHECK: "true", ...env, PATH };
}

const NO_PULUMI =
  "the Pulumi CLI is neither on PATH nor in the toolchain's cache; nothing was changed. Run `npm run toolchain` (some " +
  "minutes if it has to be built), or install it (https://www.pulumi.com/docs/iac/download-install/), then run this again";

/** Runs `pulumi` on the project's stack; does not throw on a non-zero exit. `input` goes to its stdin. */
export async function runPulumi(project: Project, args: readonly string[], input?: string): Promise<PulumiAnswer> {
  // Loaded only here: commands that read work without Pulumi, and start sooner.
  const { execute } = await import("../toolchain/run");
  const { dir: cwd, stack } = project;
  const env = await pulumiEnvironment(project.env);
  const words = [...args, "--stack", stack, "--non-interactive"];
  const { exitCode, stdout, stderr, message } = await execute("pulumi", words, { cwd, env, input });
  if (exitCode === undefined) throw new OperationError(`pulumi could not be run: ${message}`);
  return { exitCode, stdout, stderr };
}

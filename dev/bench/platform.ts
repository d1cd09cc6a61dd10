import { clockAt, type DeployOptions, deployStack } from "../lab/deploy";
import { type Lab, type LabOptions, startLab } from "../lab/lab";
import type { PulumiResult, Stack } from "../lab/stack";
import type { Toolchain } from "../toolchain/resolve";
import { resolveToolchain } from "../toolchain/resolve";
import { type FloorPlugin, floorStack } from "./floor";
import { type PeakMemory, withPeakMemory } from "./processes";

/** How often each thing is measured; the median counts. */
export const RUNS = 7;

/** Days from one rotation to the next. */
export const PERIOD_DAYS = 90;

/** A lab, and the tools it runs with. */
export async function startTooledLab(options: Omit<LabOptions, "openbao">): Promise<{ lab: Lab; tools: Toolchain }> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  if (tools.openbao === undefined) throw new Error("the toolchain has no OpenBao");
  return { lab: await startLab({ ...options, openbao: tools.openbao.path }), tools };
}

/** A lab with the real program's stack on it, and beside it those of an empty program and of a floor program. */
export class Platform {
  private day = 0;

  private constructor(
    readonly lab: Lab,
    readonly stack: Stack,
    readonly empty: Stack,
    /** One resource of each plugin that the real program uses. */
    readonly floor: Stack,
  ) {}

  static async start(
    options: Omit<LabOptions, "openbao">,
    deploy: Omit<DeployOptions, "lab" | "tools"> = {},
    plugins: readonly FloorPlugin[] = ["command", "random", "postgresql"],
  ): Promise<Platform> {
    const { lab, tools } = await startTooledLab(options);
    try {
      return new Platform(
        lab,
        await deployStack({ lab, tools, ...deploy }),
        await floorStack("empty", [], lab, tools),
        await floorStack("floor", plugins, lab, tools),
      );
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  /** Moves the calendar so far that everything by age is due. */
  becomeDue(): Promise<void> {
    this.day += PERIOD_DAYS;
    return this.stack.configure("lab", clockAt(this.day));
  }

  async stop(): Promise<void> {
    await this.lab.stop();
  }
}

/** `pulumi up`, timed. @throws Error with its output if it fails */
export const up = (stack: Stack, more: readonly string[] = []) =>
  succeed(stack, ["up", "--yes", "--skip-preview", ...more]);

/** `pulumi up`, with the largest memory of the engine, the language host, the program, the plugins and the steps together. */
export async function upWithMemory(stack: Stack): Promise<PeakMemory & { readonly seconds: number }> {
  const { result, ...memory } = await withPeakMemory(homeOf(stack), () => up(stack));
  return { seconds: result.seconds, ...memory };
}

/** What the environment of every process of a stack's commands has. */
export const homeOf = (stack: Stack): string => `PULUMI_HOME=${stack.env.PULUMI_HOME}`;

export const preview = (stack: Stack) => succeed(stack, ["preview"]);

async function succeed(stack: Stack, args: readonly string[]): Promise<PulumiResult> {
  const result = await stack.pulumi(args);
  if (result.exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${result.stdout}${result.stderr}`);
  return result;
}

import type { Command } from "commander";
import { type ActOptions, forced, perform, requestId } from "../perform";
import { common, projectOf } from "../run-command";

interface RotateNowOptions extends ActOptions {
  readonly reason: string;
}

/** `rotation rotate-now` */
export function registerRotateNow(program: Command): void {
  common(
    program
      .command("rotate-now")
      .description(
        "an emergency, such as a leaked secret: rotate without waiting for notice or market hours, and log that",
      )
      .argument("<secret>", "such as database/password"),
    'rotation rotate-now database/password --stack prod --reason "seen in a log"',
  )
    .requiredOption("--reason <text>", "written into the audit log")
    .option("--force", "overwrite what somebody else wrote into the store; the audit row says what it was")
    .option("-y, --yes", "do not ask before the plan is carried out")
    .option("--auto-rollback", "go back to the generation before when the update fails half-way")
    .action(async (secret: string, options: RotateNowOptions) => {
      const { checkNames } = await import("../operate/due");
      await checkNames(await projectOf(options), [secret]);
      const request = {
        id: requestId("emergency"),
        secret,
        rotate: true as const,
        emergency: true as const,
        reason: options.reason,
        ...forced(options),
      };
      process.exitCode = await perform(options, [request]);
    });
}

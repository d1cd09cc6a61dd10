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
        "for an emergency, such as a leaked secret: rotate without waiting for notice or market hours; the audit log says so",
      )
      .argument("<secret>", "such as database/password"),
    'rotation rotate-now database/password --stack prod --reason "seen in a log"',
  )
    .requiredOption("--reason <text>", "written into the audit log")
    .option("--force", "overwrite an external write in the store; the audit row records it")
    .option("--page <file>", "write a page of the run to this HTML file, again and again while it goes")
    .option("-y, --yes", "carry out the plan without asking")
    .option("--auto-rollback", "roll back to the previous generation if the update fails after it changed something")
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

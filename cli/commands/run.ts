import type { Command } from "commander";
import { UsageError } from "../operate/errors";
import { type ActOptions, forced, perform, requestId } from "../perform";
import { common, EXIT, print, printJson, projectOf } from "../run-command";

interface RunCommandOptions extends ActOptions {
  readonly ifDue?: true;
  readonly reason: string;
}

/** `rotation run` */
export function registerRun(program: Command): void {
  common(
    program
      .command("run")
      .description("carry out what is due; with names, rotate those now, whatever their age")
      .argument("[secret...]", "secrets to rotate now, such as database/password"),
    "rotation run --stack paper\nrotation run database/password --stack prod --auto-rollback\nrotation run --if-due --yes --stack prod   (for a scheduler)",
  )
    .option("-y, --yes", "do not ask before the plan is carried out")
    .option("--if-due", "do nothing, quickly, unless something is due; with names, unless one of them is")
    .option("--auto-rollback", "go back to the generation before when the update fails half-way")
    .option("--reason <text>", "written into the audit log, for named secrets", "asked for with `rotation run`")
    .option("--force", "overwrite what somebody else wrote into the store; the audit row says what it was")
    .option("--no-preflight", "leave the checks to the update, which makes them in any case")
    .action(async (secrets: string[], options: RunCommandOptions) => {
      if (options.force && (options.ifDue || secrets.length === 0))
        throw new UsageError("--force is for named secrets, without --if-due: say which one to overwrite");
      if (options.ifDue && !(await somethingDue(secrets, options))) return;
      const { checkNames } = await import("../operate/due");
      const named = options.ifDue ? [] : await checkNames(await projectOf(options), secrets);
      const requests = named.map((secret) => ({
        id: requestId("run"),
        secret,
        rotate: true as const,
        reason: options.reason,
        ...forced(options),
      }));
      process.exitCode = await perform(options, requests.length === 0 ? [undefined] : requests);
    });
}

async function somethingDue(secrets: readonly string[], options: RunCommandOptions): Promise<boolean> {
  const { whatIsDue } = await import("../operate/due");
  const { due, kept } = await whatIsDue(await projectOf(options), secrets);
  if (due.length > 0) return true;
  if (options.json) printJson({ outcome: "nothing due", ...(kept.length === 0 ? {} : { kept }) });
  else print(["Nothing is due.", ...kept].join("\n"));
  process.exitCode = EXIT.fine;
  return false;
}

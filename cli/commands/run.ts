import type { Command } from "commander";
import { UsageError } from "../operate/errors";
import { type ActOptions, forced, jsonLines, perform, requestId } from "../perform";
import { common, EXIT, print, projectOf } from "../run-command";

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
    "rotation run --stack paper\nrotation run database/password --stack prod --auto-rollback\nrotation run --if-due --yes --stack prod   (for a scheduler)\nrotation run --if-due --yes --stacks 'prod-*' --parallel 2",
    "stacks",
  )
    .option("-y, --yes", "carry out the plan without asking")
    .option("--if-due", "do nothing, at once, unless something is due; with names, unless one of them is due")
    .option("--auto-rollback", "roll back to the previous generation if the update fails after it changed something")
    .option("--reason <text>", "written into the audit log, for named secrets", "asked for with `rotation run`")
    .option("--force", "overwrite an external write in the store; the audit row records it")
    .option("--page <file>", "write a page of the run to this HTML file, again and again while it goes")
    .option("--no-preflight", "skip the checks here; the update makes them in any case")
    .action(async (secrets: string[], options: RunCommandOptions) => {
      if (options.force && (options.ifDue || secrets.length === 0))
        throw new UsageError("--force needs the names of secrets and excludes --if-due: name the secret to overwrite");
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
  const project = await projectOf(options);
  const { due, kept, waiting } = await whatIsDue(project, secrets);
  if (due.length > 0) return true;
  if (options.json) {
    const nothing = { type: "result", outcome: "nothing due", notes: [] } as const;
    (await jsonLines(project.stack)).say({
      ...nothing,
      ...(kept.length === 0 ? {} : { kept }),
      ...(waiting.length === 0 ? {} : { waiting }),
    });
  } else print(["Nothing is due.", ...waiting, ...kept].join("\n"));
  // A plain `pulumi up` may have written rows since the last run.
  const { anchorAfterRun } = await import("../operate/evidence/anchor");
  await anchorAfterRun(project, (text) => void process.stderr.write(`note: ${text}\n`));
  process.exitCode = EXIT.fine;
  return false;
}

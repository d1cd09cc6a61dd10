import { type Command, InvalidArgumentError } from "commander";
import { type ActOptions, forced, perform, requestId } from "../perform";
import { common, projectOf } from "../run-command";

interface RollbackOptions extends ActOptions {
  readonly reason: string;
  readonly to?: number;
}

/** `rotation rollback` */
export function registerRollback(program: Command): void {
  common(
    program
      .command("rollback")
      .description("make the previous credential active again, in the database, the store and the services")
      .argument("<secret>", "such as database/password"),
    'rotation rollback database/password --stack prod --reason "orders fail"',
  )
    .requiredOption("--reason <text>", "written into the audit log")
    .option("--to <generation>", "the generation to go back to (default: the previous one)", generation)
    .option("--force", "overwrite an external write in the store; the audit row records it")
    .option("--page <file>", "write a page of the run to this HTML file, again and again while it goes")
    .option("-y, --yes", "carry out the plan without asking")
    .action(async (secret: string, options: RollbackOptions) => {
      const { assertTarget, rollbackTarget } = await import("../operate/rollback");
      const project = await projectOf(options);
      const activate = options.to ?? (await rollbackTarget(project, secret));
      const request = { id: requestId("rollback"), secret, activate, reason: options.reason, ...forced(options) };
      await assertTarget(project, request, activate);
      process.exitCode = await perform(options, [request]);
    });
}

function generation(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("expected a generation: 0, 1, 2 and so on.");
  return Number(text);
}

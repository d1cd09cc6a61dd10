import { Command, CommanderError } from "commander";
import { registerAdopt } from "./commands/adopt";
import { registerAlpaca } from "./commands/alpaca";
import { registerApprove } from "./commands/approve";
import { registerAudit } from "./commands/audit";
import { registerCalendar } from "./commands/calendar";
import { registerDiagnose } from "./commands/diagnose";
import { registerEvents } from "./commands/events";
import { registerEvidence } from "./commands/evidence";
import { registerKey } from "./commands/key";
import { registerKinds } from "./commands/kinds";
import { registerLeaked } from "./commands/leaked";
import { registerLog } from "./commands/log";
import { registerMetrics } from "./commands/metrics";
import { registerPlan } from "./commands/plan";
import { registerPreflight } from "./commands/preflight";
import { registerRehearse } from "./commands/rehearse";
import { registerRemind } from "./commands/remind";
import { registerReport } from "./commands/report";
import { registerRollback } from "./commands/rollback";
import { registerRotateNow } from "./commands/rotate-now";
import { registerRun } from "./commands/run";
import { registerSchedule } from "./commands/schedule";
import { registerStatus } from "./commands/status";
import { registerValidate } from "./commands/validate";
import { registerWatch } from "./commands/watch";
import { carryOutForStacks } from "./stacks";

/** In the order of `--help`: first the commands that read, then those that act. */
const COMMANDS = [
  registerStatus,
  registerPlan,
  registerPreflight,
  registerRehearse,
  registerApprove,
  registerRun,
  registerRollback,
  registerRotateNow,
  registerLeaked,
  registerValidate,
  registerDiagnose,
  registerReport,
  registerAudit,
  registerEvidence,
  registerLog,
  registerRemind,
  registerWatch,
  registerEvents,
  registerCalendar,
  registerMetrics,
  registerSchedule,
  registerAdopt,
  registerAlpaca,
  registerKey,
  registerKinds,
];

/** The code of the error that ends a command that was carried out for many stacks; its exit code is the command's. */
export const FOR_STACKS = "rotation.stacks";

/** The whole command line. Commands import their code only when they run, so that `--help` is fast. */
export function createProgram(): Command {
  const program = new Command("rotation")
    .description("Rotates the secrets of a trading platform every 90 days, with zero downtime.")
    .helpOption("-h, --help", "print this")
    .addHelpText(
      "after",
      "\nExit codes: 0 fine, 1 failed, 2 wrong use or config,\n            3 a rotation is due, overdue, unfinished or failed (status),\n            130 and 143 ended by SIGINT or SIGTERM before it finished\n" +
        "\nExample:\n  rotation status --stack paper\n  rotation run --stack paper",
    )
    .showHelpAfterError("(rotation --help lists the commands)")
    .exitOverride()
    .hook("preAction", async (_, command) => {
      const exitCode = await carryOutForStacks(command);
      // Instead of the command's own action.
      if (exitCode !== undefined) throw new CommanderError(exitCode, FOR_STACKS, "");
    });
  for (const register of COMMANDS) register(program);
  for (const command of program.commands) inherit(command, program);
  return program;
}

/** Subcommands treat wrong use as the program does. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

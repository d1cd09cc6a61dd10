import { type Command, Option } from "commander";
import type { ManualRotation } from "../operate/log-entry";
import { type CommonOptions, common, print, printJson, projectOf } from "../run-command";

/** `rotation log` */
export function registerLog(program: Command): void {
  common(
    program.command("log").description("write the audit row of a rotation that was done by hand"),
    "rotation log --secret-name database/password --rotated-by ops-user \\\n  --rotation-date 2026-11-06T14:30:00Z --stack prod",
  )
    .requiredOption("--secret-name <name>", "such as database/password")
    .option("--rotated-by <who>", "default: you")
    .option("--rotation-date <date>", "ISO 8601 with its offset (default: now)")
    .addOption(
      new Option("--status <status>", "how it ended").choices(["SUCCESS", "FAILED", "ROLLED_BACK"]).default("SUCCESS"),
    )
    .option("--reason <text>", "why it was done")
    .action(async (options: CommonOptions & ManualRotation) => {
      const { logByHand } = await import("../operate/log-entry");
      const { id, hash, entry } = await logByHand(await projectOf(options), options);
      const { secretName, status, rotatedBy, rotationDate } = entry;
      if (options.json) printJson({ row: id, hash, secretName, status, rotatedBy, rotationDate });
      else {
        const when = rotationDate.slice(0, 16).replace("T", " ");
        print(`Row ${id}: ${secretName} ${status} by ${rotatedBy}, ${when} UTC; hash ${hash.slice(0, 16)}...`);
      }
    });
}

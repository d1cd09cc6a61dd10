import type { Command } from "commander";
import { output } from "../output";
import { type CommonOptions, common, printJson, projectOf } from "../run-command";

/** `rotation calendar` */
export function registerCalendar(program: Command): void {
  common(
    program.command("calendar").description("an iCalendar feed with every due date, its alarms, and the grace periods"),
    "rotation calendar --stack prod --out rotation.ics",
  )
    .option("-o, --out <file>", "write it to this file, atomically, instead of printing it")
    .action(async (options: CommonOptions & { readonly out?: string }) => {
      const [{ readStatus }, { calendarOf }] = await Promise.all([
        import("../operate/read-status"),
        import("../operate/calendar"),
      ]);
      const text = calendarOf(await readStatus(await projectOf(options)));
      if (options.json) printJson({ calendar: text });
      else await output(text, options.out);
    });
}

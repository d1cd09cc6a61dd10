import type { Command } from "commander";
import { UsageError } from "../operate/errors";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface ListOptions extends CommonOptions {
  readonly last: string;
}

/** `rotation events` */
export function registerEvents(program: Command): void {
  const events = program
    .command("events")
    .description("events of rotations for other systems: what was sent, and sending");
  events.addHelpText("after", "\nExample:\n  rotation events list --stack prod");
  common(
    events
      .command("list")
      .description("show the newest events and whether each receiver has them")
      .option("--last <number>", "how many events", "50"),
    "rotation events list --stack prod\nrotation events list --last 500 --json --stack prod | jq '.[].event'",
  ).action(async (options: ListOptions) => {
    const limit = Number(options.last);
    if (!Number.isInteger(limit) || limit < 1)
      throw new UsageError(`--last: expected a number of events such as 50, found ${options.last}`);
    const [{ eventsOf }, { renderEvents }] = await Promise.all([
      import("../operate/events/list"),
      import("../render/events"),
    ]);
    const found = await eventsOf(await projectOf(options), limit);
    if (options.json) printJson(found);
    else print(renderEvents(found));
  });
  common(
    events
      .command("deliver")
      .description("record what is due or overdue, and send every open event; safe to run every hour"),
    "rotation events deliver --stack prod",
  ).action(async (options: CommonOptions) => {
    const [{ remindByEvents }, { deliveredLine }] = await Promise.all([
      import("../operate/reminders/remind"),
      import("../render/events"),
    ]);
    const sent = await remindByEvents(await projectOf(options));
    if (options.json) printJson(sent);
    else print(sent.length === 0 ? "Nothing new to send." : sent.map(deliveredLine).join("\n"));
    process.exitCode = sent.some(({ outcome }) => outcome === "failed") ? EXIT.failed : EXIT.fine;
  });
}

import type { Command } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation remind` */
export function registerRemind(program: Command): void {
  common(
    program.command("remind").description("send reminders by Slack and e-mail, each one once; safe to run every hour"),
    "rotation remind --stack prod",
  ).action(async (options: CommonOptions) => {
    const { remind } = await import("../operate/reminders/remind");
    const sent = await remind(await projectOf(options));
    if (options.json) printJson(sent);
    else if (sent.length === 0) print("Nothing new to send.");
    else
      for (const { secret, kind, channel, recipient, outcome, error } of sent) {
        print(
          `${outcome} ${channel}: ${kind} for ${secret}${recipient === undefined ? "" : ` to ${recipient}`}${error === undefined ? "" : ` (${error}; retried next time)`}`,
        );
      }
    process.exitCode = sent.some(({ outcome }) => outcome === "failed") ? EXIT.failed : EXIT.fine;
  });
}

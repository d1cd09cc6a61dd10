import type { Command } from "commander";
import type { Sent } from "../operate/reminders/remind";
import { deliveredLine } from "../render/events";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation remind` */
export function registerRemind(program: Command): void {
  common(
    program
      .command("remind")
      .description("send reminders by Slack and e-mail, each one once, and open events; safe to run every hour"),
    "rotation remind --stack prod\nrotation remind --stacks 'prod-*'",
    "stacks",
  ).action(async (options: CommonOptions) => {
    const { remind } = await import("../operate/reminders/remind");
    const sent = await remind(await projectOf(options));
    if (options.json) printJson(sent);
    else if (sent.length === 0) print("Nothing new to send.");
    else for (const one of sent) print("target" in one ? deliveredLine(one) : reminderLine(one));
    process.exitCode = sent.some(({ outcome }) => outcome === "failed") ? EXIT.failed : EXIT.fine;
  });
}

const reminderLine = ({ secret, kind, channel, recipient, outcome, error }: Sent): string =>
  `${outcome} ${channel}: ${kind} for ${secret}${recipient === undefined ? "" : ` to ${recipient}`}${error === undefined ? "" : ` (${error}; retried next time)`}`;

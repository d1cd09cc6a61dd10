import type { Command } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation status` */
export function registerStatus(program: Command): void {
  common(
    program.command("status").description("how old each secret is, when it is due, and what the audit log says last"),
    "rotation status --stack prod",
  ).action(async (options: CommonOptions) => {
    const { readStatus } = await import("../../operate/read-status");
    const { needsRotation } = await import("../../operate/status");
    const answer = await readStatus(await projectOf(options));
    if (options.json) printJson(answer);
    else {
      const { renderStatus } = await import("../render/status");
      print(renderStatus(answer));
    }
    process.exitCode = needsRotation(answer.secrets) ? EXIT.due : EXIT.fine;
  });
}

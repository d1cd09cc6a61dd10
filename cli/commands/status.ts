import type { Command } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation status` */
export function registerStatus(program: Command): void {
  common(
    program
      .command("status")
      .description("show how old each secret is, when it is due, and its last row in the audit log"),
    "rotation status --stack prod",
  ).action(async (options: CommonOptions) => {
    const [{ readStatus }, { needsRotation }, { during }] = await Promise.all([
      import("../operate/read-status"),
      import("../operate/status"),
      import("../render/progress"),
    ]);
    const project = await projectOf(options);
    const what = { ...options, soon: true };
    const answer = await during("reading the stack's outputs and the audit log", what, () => readStatus(project));
    if (options.json) printJson(answer);
    else {
      const { renderStatus } = await import("../render/status");
      print(renderStatus(answer));
    }
    process.exitCode = needsRotation(answer.secrets) ? EXIT.due : EXIT.fine;
  });
}

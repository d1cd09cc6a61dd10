import type { Command } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation validate` */
export function registerValidate(program: Command): void {
  common(
    program
      .command("validate")
      .description("the post-rotation checklist: each point with its evidence, asked on the outside; touches nothing")
      .argument("[secret...]", "default: all"),
    "rotation validate --stack prod",
  ).action(async (secrets: string[], options: CommonOptions) => {
    const [{ validate }, { startProgress }, { renderValidation }] = await Promise.all([
      import("../../operate/validate"),
      import("../render/progress"),
      import("../render/findings"),
    ]);
    const progress = startProgress(process.stderr, { quiet: options.json === true });
    progress.step("validation: asking store, database, services and audit log");
    const results = await validate(await projectOf(options), secrets).finally(() => progress.stop());
    if (options.json) printJson(results);
    else print(renderValidation(results));
    process.exitCode = results.every(({ ok }) => ok) ? EXIT.fine : EXIT.failed;
  });
}

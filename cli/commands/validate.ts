import type { Command } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation validate` */
export function registerValidate(program: Command): void {
  common(
    program
      .command("validate")
      .description(
        "run the post-rotation checklist against the live platform: each point with its evidence; changes nothing",
      )
      .argument("[secret...]", "default: all"),
    "rotation validate --stack prod",
  ).action(async (secrets: string[], options: CommonOptions) => {
    const [{ validate }, { during }, { renderValidation }] = await Promise.all([
      import("../operate/validate"),
      import("../render/progress"),
      import("../render/findings"),
    ]);
    const project = await projectOf(options);
    const results = await during("validation: checking store, database, services and audit log", options, () =>
      validate(project, secrets),
    );
    if (options.json) printJson(results);
    else print(renderValidation(results));
    process.exitCode = results.every(({ ok }) => ok) ? EXIT.fine : EXIT.failed;
  });
}

import { type Command, Option } from "commander";
import type { PreflightMode } from "../operate/preflight";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface PreflightOptions extends CommonOptions {
  readonly for: PreflightMode;
}

/** `rotation preflight` */
export function registerPreflight(program: Command): void {
  common(
    program
      .command("preflight")
      .description("run the pre-rotation checklist alone: each check with its evidence; changes nothing")
      .argument("[secret...]", "default: all"),
    "rotation preflight --stack prod",
  )
    .addOption(
      new Option("--for <what>", "what is about to happen")
        .choices(["rotation", "emergency", "rollback"])
        .default("rotation"),
    )
    .action(async (secrets: string[], options: PreflightOptions) => {
      const [{ preflight }, { during }, { renderPreflight }] = await Promise.all([
        import("../operate/preflight"),
        import("../render/progress"),
        import("../render/run"),
      ]);
      const project = await projectOf(options);
      const results = await during("preflight: checking everything the rotation will touch", options, () =>
        preflight(project, secrets, options.for),
      );
      if (options.json) printJson(results);
      else print(renderPreflight(results));
      process.exitCode = results.every(({ ok }) => ok) ? EXIT.fine : EXIT.failed;
    });
}

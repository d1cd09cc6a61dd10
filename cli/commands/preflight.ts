import { type Command, Option } from "commander";
import type { PreflightMode } from "../../operate/preflight";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface PreflightOptions extends CommonOptions {
  readonly for: PreflightMode;
}

/** `rotation preflight` */
export function registerPreflight(program: Command): void {
  common(
    program
      .command("preflight")
      .description("the pre-rotation checklist on its own: one line each with its evidence; touches nothing")
      .argument("[secret...]", "default: all"),
    "rotation preflight --stack prod",
  )
    .addOption(
      new Option("--for <what>", "what is about to happen")
        .choices(["rotation", "emergency", "rollback"])
        .default("rotation"),
    )
    .action(async (secrets: string[], options: PreflightOptions) => {
      const [{ preflight }, { startProgress }, { renderPreflight }] = await Promise.all([
        import("../../operate/preflight"),
        import("../render/progress"),
        import("../render/run"),
      ]);
      const progress = startProgress(process.stderr, { quiet: options.json === true });
      progress.step("preflight: checking everything the rotation will touch");
      const results = await preflight(await projectOf(options), secrets, options.for).finally(() => progress.stop());
      if (options.json) printJson(results);
      else print(renderPreflight(results));
      process.exitCode = results.every(({ ok }) => ok) ? EXIT.fine : EXIT.failed;
    });
}

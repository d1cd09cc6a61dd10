import type { Command } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

/** `rotation rehearse` */
export function registerRehearse(program: Command): void {
  common(
    program
      .command("rehearse")
      .description(
        "log in with the credential in use from every reader's host and over its paths, and compare the next login; changes nothing",
      )
      .argument("[secret...]", "default: all"),
    "rotation rehearse database/password --stack prod",
  ).action(async (secrets: string[], options: CommonOptions) => {
    const [{ rehearseAll }, { during }, { renderRehearsal }] = await Promise.all([
      import("../operate/rehearse"),
      import("../render/progress"),
      import("../render/rehearsal"),
    ]);
    const project = await projectOf(options);
    const results = await during("rehearsal: going every reader's way", options, () => rehearseAll(project, secrets));
    if (options.json) printJson(results);
    else print(renderRehearsal(results));
    process.exitCode = results.every(({ ok }) => ok) ? EXIT.fine : EXIT.failed;
  });
}

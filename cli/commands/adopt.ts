import type { Command } from "commander";
import { type CommonOptions, common, print, printJson, projectOf } from "../run-command";

/** `rotation adopt` */
export function registerAdopt(program: Command): void {
  common(
    program
      .command("adopt")
      .description(
        "copy the value in use from the store into the secret config: before the first rotation, so that it can be " +
          "rolled back; later, to keep an external write",
      )
      .argument("[secret...]", "default: all"),
    "rotation adopt database/password --stack prod",
  ).action(async (secrets: string[], options: CommonOptions) => {
    const { adopt } = await import("../operate/adopt");
    const { wrap } = await import("../render/table");
    const { during } = await import("../render/progress");
    const project = await projectOf(options);
    const results = await during("reading the stack and the store", options, () => adopt(project, secrets));
    if (options.json) return printJson(results);
    for (const { secret, outcome, version, detail } of results) {
      print(wrap(`${outcome}: ${secret}${version === null ? "" : `, version ${version} of the store`} (${detail})`));
    }
  });
}

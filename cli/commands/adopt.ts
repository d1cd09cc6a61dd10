import type { Command } from "commander";
import { type CommonOptions, common, print, printJson, projectOf } from "../run-command";

/** `rotation adopt` */
export function registerAdopt(program: Command): void {
  common(
    program
      .command("adopt")
      .description(
        "copy the value in use from the store into the secret config, so that the first rotation can be rolled back",
      )
      .argument("[secret...]", "default: all"),
    "rotation adopt database/password --stack prod",
  ).action(async (secrets: string[], options: CommonOptions) => {
    const { adopt } = await import("../../operate/adopt");
    const results = await adopt(await projectOf(options), secrets);
    if (options.json) return printJson(results);
    for (const { secret, outcome, version, detail } of results) {
      print(`${outcome}: ${secret}${version === null ? "" : `, version ${version} of the store`} (${detail})`);
    }
  });
}

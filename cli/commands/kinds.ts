import type { Command } from "commander";
import { EXIT, print, printJson } from "../run-command";

/** `rotation kinds test` and `rotation kinds init` */
export function registerKinds(program: Command): void {
  const kinds = program
    .command("kinds")
    .description("kinds of secrets of your own: commands that issue, verify and revoke")
    .addHelpText("after", "\nExample:\n  rotation kinds init my-kind\n  rotation kinds test my-kind");
  kinds
    .command("init")
    .description("copy a template with working commands into a new folder")
    .argument("<folder>", "the folder")
    .addHelpText("after", "\nExample:\n  rotation kinds init my-kind")
    .action(async (folder: string) => {
      const { makeKind } = await import("../operate/kinds/folder");
      print(`${await makeKind(folder)} has three commands and an issuer to try them with; its README.md says how.`);
    });
  kinds
    .command("test")
    .description(
      "issue, verify and revoke credentials with the commands of a folder, and say which promise they break; it ends what it has made",
    )
    .argument("<folder>", "the folder with kind.json")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  rotation kinds test ./my-kind")
    .action(async (folder: string, { json }: { json?: true }) => {
      const [{ readKind }, { testKind }, { during }, { renderKindTest }] = await Promise.all([
        import("../operate/kinds/folder"),
        import("../operate/kinds/life"),
        import("../render/progress"),
        import("../render/kinds"),
      ]);
      const kind = await readKind(folder);
      const ended = new AbortController();
      const end = () => ended.abort();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);
      const run = `kinds-test-${Date.now().toString(36)}`;
      const result = await during("test: a credential's life", json ? { json } : {}, () =>
        testKind(kind, run, ended.signal),
      );
      if (json) printJson(result);
      else print(renderKindTest(result));
      process.exitCode = result.ok ? EXIT.fine : EXIT.failed;
    });
}

import type { Command } from "commander";
import type { Finding } from "../../operate/diagnose";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface DiagnoseOptions extends CommonOptions {
  readonly fix?: true;
  readonly yes?: true;
}

/** `rotation diagnose` */
export function registerDiagnose(program: Command): void {
  common(
    program
      .command("diagnose")
      .description("find what is wrong from the outside: cause, evidence, and the exact command that mends it")
      .argument("[secret...]", "default: all"),
    "rotation diagnose --stack prod\nrotation diagnose --fix --stack prod",
  )
    .option("--fix", "do what mends it, after asking, where this program can")
    .option("-y, --yes", "with --fix: do not ask")
    .action(async (secrets: string[], options: DiagnoseOptions) => {
      const [{ diagnose }, { startProgress }, { renderFindings }] = await Promise.all([
        import("../../operate/diagnose"),
        import("../render/progress"),
        import("../render/findings"),
      ]);
      const progress = startProgress(process.stderr, { quiet: options.json === true });
      progress.step("diagnosis: asking store, database, services and the stack's state");
      const findings = await diagnose(await projectOf(options), secrets).finally(() => progress.stop());
      const fixed = options.fix ? await mend(findings, options, renderFindings) : [];
      const shown = findings.map(({ fix, ...finding }) => ({ ...finding, fixable: fix !== undefined }));
      if (options.json) printJson(options.fix ? { findings: shown, fixed } : { findings: shown });
      else if (!options.fix) print(renderFindings(findings));
      process.exitCode = findings.length === fixed.length ? EXIT.fine : EXIT.failed;
    });
}

async function mend(
  findings: readonly Finding[],
  options: DiagnoseOptions,
  show: (findings: readonly Finding[]) => string,
): Promise<{ cause: string; done: string }[]> {
  const { confirmed } = await import("../run-listener");
  const say = (text: string) => (options.json ? undefined : print(text));
  if (findings.length === 0) say(show(findings));
  const fixed: { cause: string; done: string }[] = [];
  for (const finding of findings) {
    say(show([finding]));
    if (finding.fix === undefined) {
      say("Only you can do that one.\n");
      continue;
    }
    if (!options.yes && !(await confirmed("Do it?"))) continue;
    const done = await finding.fix();
    fixed.push({ cause: finding.cause, done });
    say(`done: ${done}\n`);
  }
  return fixed;
}

import type { Command } from "commander";
import type { Finding } from "../../kinds/kind-operations";
import type { Project } from "../operate/project";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface DiagnoseOptions extends CommonOptions {
  readonly fix?: true;
  readonly yes?: true;
}

/** What `--fix` did about one finding. */
interface Fixed {
  readonly cause: string;
  readonly outcome: "done" | "failed" | "declined" | "only you can";
  readonly detail: string;
}

/** `rotation diagnose` */
export function registerDiagnose(program: Command): void {
  common(
    program
      .command("diagnose")
      .description(
        "check the platform from the outside: each problem with its cause, its evidence and the exact command that fixes it",
      )
      .argument("[secret...]", "default: all"),
    "rotation diagnose --stack prod\nrotation diagnose --fix --stack prod",
  )
    .option("--fix", "after asking, fix what this program can fix; then check again")
    .option("-y, --yes", "with --fix: do not ask")
    .action(async (secrets: string[], options: DiagnoseOptions) => {
      if (options.fix && !options.yes) (await import("../run-listener")).assertTerminal();
      const project = await projectOf(options);
      const found = await look(project, secrets, options);
      const { renderFindings } = await import("../render/findings");
      if (!options.fix || found.length === 0) {
        if (options.json) printJson({ findings: found.map(shown) });
        else print(renderFindings(found));
        process.exitCode = found.length === 0 ? EXIT.fine : EXIT.failed;
        return;
      }
      const fixed = await applyFixes(found, options);
      const remaining = await look(project, secrets, options);
      if (options.json) printJson({ findings: found.map(shown), fixed, remaining: remaining.map(shown) });
      else print(remaining.length === 0 ? renderFindings([]) : `Still wrong:\n\n${renderFindings(remaining)}`);
      process.exitCode = remaining.length === 0 ? EXIT.fine : EXIT.failed;
    });
}

const shown = ({ fix, ...finding }: Finding) => ({ ...finding, fixable: fix !== undefined });

async function look(project: Project, secrets: readonly string[], options: CommonOptions): Promise<Finding[]> {
  const [{ diagnose }, { during }] = await Promise.all([import("../operate/diagnose"), import("../render/progress")]);
  return during("diagnosis: checking store, database, services and the stack's state", options, () =>
    diagnose(project, secrets),
  );
}

/** One after the other: a fix may depend on the previous one. */
async function applyFixes(findings: readonly Finding[], options: DiagnoseOptions): Promise<Fixed[]> {
  const [{ renderFindings }, { wrap }] = await Promise.all([import("../render/findings"), import("../render/table")]);
  const done: Fixed[] = [];
  for (const finding of findings) {
    if (!options.json) print(`${renderFindings([finding])}\n`);
    const fixed = await applyFix(finding, options);
    if (!options.json) print(`${wrap(`${fixed.outcome}: ${fixed.detail}`)}\n\n`);
    done.push(fixed);
  }
  return done;
}

async function applyFix({ cause, fix }: Finding, options: DiagnoseOptions): Promise<Fixed> {
  if (fix === undefined) return { cause, outcome: "only you can", detail: "run the command above yourself" };
  const [{ confirmed }, { during }] = await Promise.all([import("../run-listener"), import("../render/progress")]);
  if (!options.yes && !(await confirmed("Do it?")))
    return { cause, outcome: "declined", detail: "nothing was changed" };
  try {
    return { cause, outcome: "done", detail: await during("fixing it", options, fix) };
  } catch (error) {
    const { messageFor } = await import("../run-command");
    return { cause, outcome: "failed", detail: await messageFor(error) };
  }
}

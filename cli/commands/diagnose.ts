import type { Command } from "commander";
import type { Finding } from "../../kinds/kind-operations";
import type { Project } from "../operate/project";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface DiagnoseOptions extends CommonOptions {
  readonly fix?: true;
  readonly yes?: true;
}

/** What `--fix` did about one finding. */
interface Mended {
  readonly cause: string;
  readonly outcome: "done" | "failed" | "declined" | "only you can";
  readonly detail: string;
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
    .option("--fix", "do what mends it, after asking, where this program can; then look again")
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
      const fixed = await mend(found, options);
      const remaining = await look(project, secrets, options);
      if (options.json) printJson({ findings: found.map(shown), fixed, remaining: remaining.map(shown) });
      else print(remaining.length === 0 ? renderFindings([]) : `Still wrong:\n\n${renderFindings(remaining)}`);
      process.exitCode = remaining.length === 0 ? EXIT.fine : EXIT.failed;
    });
}

const shown = ({ fix, ...finding }: Finding) => ({ ...finding, fixable: fix !== undefined });

async function look(project: Project, secrets: readonly string[], options: CommonOptions): Promise<Finding[]> {
  const [{ diagnose }, { during }] = await Promise.all([import("../operate/diagnose"), import("../render/progress")]);
  return during("diagnosis: asking store, database, services and the stack's state", options, () =>
    diagnose(project, secrets),
  );
}

/** One after the other: what one fix does may be what the next one needs. */
async function mend(findings: readonly Finding[], options: DiagnoseOptions): Promise<Mended[]> {
  const [{ renderFindings }, { wrap }] = await Promise.all([import("../render/findings"), import("../render/table")]);
  const done: Mended[] = [];
  for (const finding of findings) {
    if (!options.json) print(`${renderFindings([finding])}\n`);
    const mended = await mendOne(finding, options);
    if (!options.json) print(`${wrap(`${mended.outcome}: ${mended.detail}`)}\n\n`);
    done.push(mended);
  }
  return done;
}

async function mendOne({ cause, fix }: Finding, options: DiagnoseOptions): Promise<Mended> {
  if (fix === undefined) return { cause, outcome: "only you can", detail: "the command above is for you" };
  const [{ confirmed }, { during }] = await Promise.all([import("../run-listener"), import("../render/progress")]);
  if (!options.yes && !(await confirmed("Do it?")))
    return { cause, outcome: "declined", detail: "nothing was changed" };
  try {
    return { cause, outcome: "done", detail: await during("mending it", options, fix) };
  } catch (error) {
    const { messageFor } = await import("../run-command");
    return { cause, outcome: "failed", detail: await messageFor(error) };
  }
}

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Report } from "../operate/leaked/findings";
import type { FoundLeak, Leak } from "../operate/leaked/leak";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface LeakedOptions extends CommonOptions {
  readonly respond?: true;
  readonly yes?: true;
  readonly signature?: string;
}

/** `rotation leaked` */
export function registerLeaked(program: Command): void {
  common(
    program
      .command("leaked")
      .description(
        "whose a leaked value is, and whether it still works; reads a scanner's report, or asks for the value",
      )
      .argument(
        "[report]",
        "a file: gitleaks JSON, SARIF, a webhook of GitHub or GitGuardian; default: standard input",
      ),
    "rotation leaked report.json --stack prod\nrotation leaked --respond --stack prod   (asks for the value, without echo)",
  )
    .option(
      "--respond",
      "rotate what still works, end its sessions, prove that it is refused; the audit log has the times",
    )
    .option("-y, --yes", "do not ask before the rotation")
    .option(
      "--signature <header>",
      "X-Hub-Signature-256 of GitHub's webhook; its secret is in the variable GITHUB_WEBHOOK_SECRET",
    )
    .action(async (file: string | undefined, options: LeakedOptions) => {
      process.exitCode = await leaked(file, options);
    });
}

async function inputOf(file: string | undefined): Promise<Buffer> {
  if (file !== undefined) {
    const { UsageError } = await import("../operate/errors");
    return readFile(file).catch((error: Error) => {
      throw new UsageError(`${file} cannot be read: ${error.message}`);
    });
  }
  if (process.stdin.isTTY) {
    const { password } = await import("@inquirer/prompts");
    return Buffer.from(await password({ message: "Leaked value", mask: true }, { output: process.stderr }));
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function leaked(file: string | undefined, options: LeakedOptions): Promise<number> {
  const input = await inputOf(file);
  const since = new Date();
  const [{ readReport }, { verifySignature, WEBHOOK_SECRET }, { rotationCommand }, { findLeaks }, { readStack }, view] =
    await Promise.all([
      import("../operate/leaked/findings"),
      import("../operate/leaked/signature"),
      import("../operate/advice"),
      import("../operate/leaked/find"),
      import("../operate/stack"),
      import("../render/leaked"),
    ]);
  const project = await projectOf(options);
  const { texts, isWebhook, ...report } = readReport(input, rotationCommand(project, "leaked"), file);
  verifySignature(input, { signature: options.signature, key: project.env[WEBHOOK_SECRET], isWebhook });
  const stack = await readStack(project);
  const { found: all, notes } = await findLeaks(stack, texts);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  const leaks = all.map(({ leak }) => leak);
  const alive = all.filter(({ leak }) => mayWork(leak));
  if (!options.json) print(view.renderLeaks(leaks, report));
  if (options.respond && alive.length > 0) return answer(project, stack, { report, leaks, alive, since }, options);
  if (options.json) printJson({ report, leaks, responses: [] });
  return report.withoutValue === 0 && leaks.every(({ answer: tried }) => tried === "refused") ? EXIT.fine : EXIT.due;
}

/** What is refused is dead, and so is an earlier generation of which nobody can say. */
const mayWork = ({ answer: tried, standing }: Leak) =>
  tried === "works" || (tried === "unknown" && standing !== "ended");

interface Found {
  readonly report: Omit<Report, "texts" | "isWebhook">;
  readonly leaks: readonly Leak[];
  readonly alive: readonly FoundLeak[];
  readonly since: Date;
}

async function answer(
  project: Awaited<ReturnType<typeof projectOf>>,
  stack: Awaited<ReturnType<typeof import("../operate/stack")["readStack"]>>,
  { report, leaks, alive, since }: Found,
  options: LeakedOptions,
): Promise<number> {
  const [
    { respond },
    { anchorAfterRun },
    { deliverAfterRun },
    { confirmed, interruption, runListener },
    { renderResponses },
  ] = await Promise.all([
    import("../operate/leaked/respond"),
    import("../operate/evidence/anchor"),
    import("../operate/events/deliver"),
    import("../run-listener"),
    import("../render/leaked"),
  ]);
  const secrets = [...new Set(alive.map(({ leak }) => leak.secret))].join(", ");
  if (!options.yes && !(await confirmed(`Rotate ${secrets} now, and end the old sessions?`))) return EXIT.due;
  const { signal, release } = interruption((text) => listener.note(text));
  const listener = options.json ? { ...SILENT, notes: [], stop: () => undefined } : runListener({ yes: true, signal });
  try {
    const { responses, unanswered } = await respond(project, stack, alive, { since, listener, signal });
    await anchorAfterRun(project, (text) => listener.note(text));
    await deliverAfterRun(project, (text) => listener.note(text));
    listener.stop("done");
    if (options.json) printJson({ report, leaks, responses, unanswered });
    else print(renderResponses(responses, unanswered));
    return unanswered.length === 0 &&
      responses.every(({ refused, sessionsGone }) => refused !== null && sessionsGone !== null)
      ? EXIT.fine
      : EXIT.failed;
  } finally {
    listener.stop("stopped");
    release();
  }
}

const SILENT = {
  step: () => undefined,
  note: (text: string) => void process.stderr.write(`note: ${text}\n`),
  preflight: () => undefined,
  plan: () => undefined,
  happening: () => undefined,
  confirm: () => Promise.resolve(true),
};

import { type Command, Option } from "commander";
import { output } from "../output";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface StatusOptions extends CommonOptions {
  readonly format: "text" | "json" | "html";
  readonly out?: string;
}

/** `rotation status` */
export function registerStatus(program: Command): void {
  common(
    program
      .command("status")
      .description("show how old each secret is, when it is due, and its last row in the audit log"),
    "rotation status --stack prod\nrotation status --format html --out /var/www/rotation/prod.html --stack prod\nrotation status --stacks 'prod-*'",
    "stacks",
  )
    .addOption(
      new Option("--format <format>", "how to write it; html is a page for operators")
        .choices(["text", "json", "html"])
        .default("text"),
    )
    .option(
      "-o, --out <file>",
      "write it to this file, atomically, instead of printing it; then exit code 3 is not used",
    )
    .action(async (options: StatusOptions) => {
      const project = await projectOf(options);
      const format = options.json ? "json" : options.format;
      const isDue = format === "html" ? await writePage(project, options) : await writeStatus(project, options, format);
      process.exitCode = isDue && options.out === undefined ? EXIT.due : EXIT.fine;
    });
}

type Project = Awaited<ReturnType<typeof projectOf>>;

/** @returns whether something has to be done now */
async function writeStatus(project: Project, options: StatusOptions, format: "text" | "json"): Promise<boolean> {
  const [{ readStatus }, { needsRotation }, { during }, { renderStatus }] = await Promise.all([
    import("../operate/read-status"),
    import("../operate/status"),
    import("../render/progress"),
    import("../render/status"),
  ]);
  const what = { ...options, soon: true };
  const answer = await during("reading the stack's outputs and the audit log", what, () => readStatus(project));
  if (options.out !== undefined) {
    await output(format === "json" ? JSON.stringify(answer, null, 2) : renderStatus(answer), options.out);
  } else if (format === "json") printJson(answer);
  else print(renderStatus(answer));
  return needsRotation(answer.secrets);
}

async function writePage(project: Project, options: StatusOptions): Promise<boolean> {
  const [{ readStatusPage }, { needsRotation }, { renderStatusPage }] = await Promise.all([
    import("../operate/status-page"),
    import("../operate/status"),
    import("../render/status-page"),
  ]);
  const page = await readStatusPage(project);
  await output(renderStatusPage(page), options.out);
  return needsRotation(page.secrets);
}

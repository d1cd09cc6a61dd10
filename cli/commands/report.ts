import { type Command, InvalidArgumentError, Option } from "commander";
import type { Report } from "../../audit/report";
import type { ChainVerdict } from "../../audit/verify";
import { DAY } from "../../core/time";
import { output } from "../output";
import { type CommonOptions, common, print, projectOf } from "../run-command";

const FORMATS = ["table", "json", "csv", "markdown", "html"] as const;

interface ReportOptions extends CommonOptions {
  readonly last: number;
  readonly format: (typeof FORMATS)[number];
  readonly out?: string;
  readonly run?: string;
}

/** `rotation report` */
export function registerReport(program: Command): void {
  common(
    program
      .command("report")
      .description("the compliance report: every secret against its limit, the rows, the chain, the controls"),
    "rotation report --last 90d --stack prod\nrotation report --last 365d --format html --out report.html --stack prod\nrotation report --format html --out '{stack}.html' --stacks 'prod-*'",
    "stacks",
  )
    .addOption(
      new Option("--last <duration>", "the time it covers, until now").default(90 * DAY, "90d").argParser(duration),
    )
    .addOption(new Option("--format <format>", "how to write it").choices(FORMATS).default("table"))
    .option("-o, --out <file>", "write it to this file instead of printing it")
    .option("--run <file>", "instead: the page of a run, from a file with the lines of `rotation run --json`")
    .action(async (options: ReportOptions) => {
      if (options.run !== undefined) {
        const { recordedPage } = await import("../run-page");
        return output(await recordedPage(options.run), options.out);
      }
      const project = await projectOf(options);
      const [{ exportRows, makeReport }, { during }] = await Promise.all([
        import("../operate/audit"),
        import("../render/progress"),
      ]);
      const format = options.json ? "json" : options.format;
      await during("report: reading and verifying the log", { ...options, soon: true }, (stop) => {
        const write = async (text: string | AsyncIterable<string>) => {
          if (options.out === undefined) stop();
          await output(text, options.out);
        };
        if (format === "csv") {
          return exportRows(project, options.last, async ({ chain, ...rows }) => {
            await write((await import("../../audit/render/csv")).renderCsv(rows));
            if (!chain.valid) await warnOf(chain, project.stack);
          });
        }
        return makeReport(project, options.last, async (report) => write(await render(report, format)));
      });
      if (options.out !== undefined) print(`${options.out} written`);
    });
}

/** On stderr, because CSV has no place for it. */
async function warnOf(chain: ChainVerdict, stack: string): Promise<void> {
  const { tampered } = await import("../render/audit");
  process.stderr.write(`warning: ${tampered(chain)} Which rows: \`rotation audit verify --stack ${stack}\`\n`);
}

async function render(
  report: Report,
  format: Exclude<ReportOptions["format"], "csv">,
): Promise<string | AsyncIterable<string>> {
  switch (format) {
    case "table": {
      const rows = [];
      for await (const row of report.rows) rows.push(row);
      return (await import("../render/report")).renderReport({ ...report, rows });
    }
    case "json":
      return (await import("../../audit/render/json")).renderJson(report);
    case "markdown":
      return (await import("../../audit/render/markdown")).renderMarkdown(report);
    case "html":
      return (await import("../../audit/render/html")).renderHtml(report);
  }
}

function duration(text: string): number {
  const found = /^(\d+)([dh])$/.exec(text);
  if (!found) throw new InvalidArgumentError("expected a time such as 90d or 24h.");
  return Number(found[1]) * (found[2] === "d" ? DAY : 3_600_000);
}

import { type Command, InvalidArgumentError, Option } from "commander";
import type { Report } from "../../audit/report";
import { output } from "../output";
import { type CommonOptions, common, print, projectOf } from "../run-command";

const FORMATS = ["table", "json", "csv", "markdown", "html"] as const;

interface ReportOptions extends CommonOptions {
  readonly last: number;
  readonly format: (typeof FORMATS)[number];
  readonly out?: string;
}

/** `rotation report` */
export function registerReport(program: Command): void {
  common(
    program
      .command("report")
      .description("the compliance report: every secret against its limit, the rows, the chain, the controls"),
    "rotation report --last 90d --stack prod\nrotation report --last 365d --format html --out report.html --stack prod",
  )
    .addOption(
      new Option("--last <duration>", "the time it covers, until now")
        .default(90 * 86_400_000, "90d")
        .argParser(duration),
    )
    .addOption(new Option("--format <format>", "how to write it").choices(FORMATS).default("table"))
    .option("-o, --out <file>", "write it there instead of printing it")
    .action(async (options: ReportOptions) => {
      const { makeReport } = await import("../../operate/audit");
      const report = await makeReport(await projectOf(options), options.last);
      const text = await render(report, options.json ? "json" : options.format);
      await output(text, options.out);
      if (options.out !== undefined) print(`${options.out} written`);
    });
}

async function render(report: Report, format: ReportOptions["format"]): Promise<string> {
  switch (format) {
    case "table":
      return (await import("../render/report")).renderReport(report);
    case "json":
      return (await import("../../audit/render/json")).renderJson(report);
    case "csv":
      return (await import("../../audit/render/csv")).renderCsv(report);
    case "markdown":
      return (await import("../../audit/render/markdown")).renderMarkdown(report);
    case "html":
      return (await import("../../audit/render/html")).renderHtml(report);
  }
}

function duration(text: string): number {
  const found = /^(\d+)([dh])$/.exec(text);
  if (!found) throw new InvalidArgumentError("expected a time such as 90d or 24h.");
  return Number(found[1]) * (found[2] === "d" ? 86_400_000 : 3_600_000);
}

import type { Command } from "commander";
import { output } from "../output";
import { type CommonOptions, common, printJson, projectOf } from "../run-command";

/** `rotation metrics` */
export function registerMetrics(program: Command): void {
  common(
    program.command("metrics").description("Prometheus' text, for the node exporter's textfile collector or a scrape"),
    "rotation metrics -s prod -o /var/lib/node_exporter/textfile/rotation.prom",
  )
    .option("-o, --out <file>", "write it to this file, atomically, instead of printing it")
    .option("--verify", "verify the audit log's chain as well (15 s for a million rows)")
    .action(async (options: CommonOptions & { readonly out?: string; readonly verify?: true }) => {
      const [{ readStatus }, { metricsOf }, { verdictIfThere }] = await Promise.all([
        import("../operate/read-status"),
        import("../operate/metrics"),
        import("../operate/audit"),
      ]);
      const project = await projectOf(options);
      const status = await readStatus(project);
      // If the log cannot be read, the status says so.
      const verdict = options.verify && status.logError === null ? await verdictIfThere(project) : undefined;
      const text = await metricsOf(status, verdict);
      if (options.json) printJson({ metrics: text });
      else await output(text, options.out);
    });
}

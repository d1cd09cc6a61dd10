import type { Command } from "commander";
import { output } from "../output";
import { type CommonOptions, common, printJson, projectOf } from "../run-command";

/** `rotation metrics` */
export function registerMetrics(program: Command): void {
  common(
    program.command("metrics").description("Prometheus' text, for the node exporter's textfile collector or a scrape"),
    "rotation metrics --stack prod --out /var/lib/node_exporter/textfile/rotation.prom",
  )
    .option("-o, --out <file>", "write it there, in one step, instead of printing it")
    .action(async (options: CommonOptions & { readonly out?: string }) => {
      const [{ readStatus }, { metricsOf }] = await Promise.all([
        import("../../operate/read-status"),
        import("../../operate/metrics"),
      ]);
      const text = await metricsOf(await readStatus(await projectOf(options)));
      if (options.json) printJson({ metrics: text });
      else await output(text, options.out);
    });
}

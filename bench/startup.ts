import { Command } from "commander";
import { startupFigures } from "./startup-figures";

await new Command("startup")
  .description("Measures how long the commands take that do not start Pulumi, beside an empty Node.js process.")
  .option("--times <count>", "runs of each", Number, 7)
  .option("--json", "print the figures as one JSON object on the last line", false)
  .addHelpText("after", "\nExample:\n  node dist/bench/startup.mjs --times 15")
  .action(async ({ times, json }: { readonly times: number; readonly json: boolean }) => {
    const figures = await startupFigures(times, (line) => console.log(line));
    if (json) console.log(JSON.stringify(figures));
  })
  .parseAsync();

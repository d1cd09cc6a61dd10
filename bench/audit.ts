import { Command, InvalidArgumentError } from "commander";
import { auditFigures } from "./audit-figures";

interface Options {
  readonly rows: number;
  readonly json: boolean;
}

function count(text: string): number {
  const found = Number(text);
  if (!Number.isInteger(found) || found < 1) throw new InvalidArgumentError("expected a number of rows.");
  return found;
}

await new Command("audit")
  .description("Fills an audit log and measures its verification and its reports.")
  .option("--rows <count>", "rows of the log", count, 1_000_000)
  .option("--json", "print the figures as one JSON object on the last line", false)
  .addHelpText("after", "\nExample:\n  node dist/bench/audit.mjs --rows 100000")
  .action(async ({ rows, json }: Options) => {
    const figures = await auditFigures(rows, (line) => console.log(line));
    if (json) console.log(JSON.stringify(figures));
  })
  .parseAsync();

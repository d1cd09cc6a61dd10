import { parseArgs } from "node:util";
import { resolveToolchain } from "./resolve";
import { table } from "./table";
import type { ToolName } from "./types";

const tools: readonly ToolName[] = ["pulumi", "openbao", "moto", "kubernetes-validate"];

const usage = `Usage: npm run toolchain [-- options]

Finds or makes every program this project runs, and prints one line a tool: name, version, origin, path.
What it makes is kept in the user's cache folder ($SECRET_ROTATION_CACHE moves it).

  --only <names>  of pulumi, openbao, moto, kubernetes-validate, separated by commas (the engine is
                  always among them; default: all)
  --offline       use only what is already there
  --json          print JSON
  --help          print this

Exit codes: 0 fine, 1 a tool is missing, 2 wrong use`;

class UsageError extends Error {}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        offline: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const names = values.only?.split(",") ?? tools;
    const need = tools.filter((tool) => names.includes(tool));
    const unknown = names.find((name) => !tools.some((tool) => tool === name));
    if (unknown !== undefined) throw new Error(`--only: expected ${tools.join(", ")}, found "${unknown}"`);
    return { ...values, need };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  try {
    const { json, help, need, offline } = parse(process.argv.slice(2));
    if (help) {
      console.log(usage);
      return 0;
    }
    const toolchain = await resolveToolchain({ need, offline });
    console.log(json ? JSON.stringify(toolchain, null, 2) : table(toolchain));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (!(error instanceof UsageError)) return 1;
    console.error(usage);
    return 2;
  }
}

process.exitCode = await main();

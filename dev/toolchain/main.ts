import path from "node:path";
import { parseArgs } from "node:util";
import { pluginAdvice } from "../../cli/toolchain/plugin-advice";
import { madeFolders } from "../../cli/toolchain/resolve";
import { messageOf } from "../../core/errors";
import { quoted } from "../../core/shell-word";
import { resolveToolchain, type Toolchain, type ToolName } from "./resolve";
import { table } from "./table";

const tools: readonly ToolName[] = ["pulumi", "openbao", "moto", "kubernetes-validate", "shellcheck"];

const usage = `Usage: npm run toolchain [-- options]

Finds or makes every program this project runs, and prints one line a tool: name, version, origin, path.
What it makes is kept in the user's cache folder ($SECRET_ROTATION_CACHE moves it).

  --only <names>  of pulumi, openbao, moto, kubernetes-validate, shellcheck, separated by commas (the engine
                  is always among them; default: all)
  --offline       use only what is already there
  --shell         print the line that puts pulumi on PATH, for a shell of the Bourne family:
                    eval "$(npm run --silent toolchain -- --shell)"
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
        shell: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.shell && values.json) throw new Error("expected one of --shell and --json, found both");
    const names = values.only?.split(",") ?? (values.shell ? ["pulumi"] : tools);
    const need = tools.filter((tool) => names.includes(tool));
    const unknown = names.find((name) => !tools.some((tool) => tool === name));
    if (unknown !== undefined) throw new Error(`--only: expected ${tools.join(", ")}, found "${unknown}"`);
    return { ...values, need };
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

/** A line for `eval` that puts pulumi and its language host on PATH; a comment if they are already there. */
function shellLine(toolchain: Toolchain): string {
  const folders = madeFolders(toolchain);
  if (folders.length === 0) return "# pulumi is on PATH already";
  return `export PATH=${quoted(folders.join(path.delimiter))}:"$PATH"`;
}

/** What to do next; on stderr, since stdout is the answer. */
function hints(toolchain: Toolchain): string[] {
  const offline = Object.entries(toolchain.plugins).filter(([, { kind }]) => kind === "offline");
  return [
    ...(madeFolders(toolchain).length === 0
      ? []
      : ['Put pulumi on PATH in this shell:\n  eval "$(npm run --silent toolchain -- --shell)"']),
    ...(offline.length === 0
      ? []
      : [
          "An offline plugin serves only a stack whose config says `lab` (the demo, the tests). For any other stack:\n" +
            pluginAdvice(offline.map(([name, { version }]) => ({ name, version }))),
        ]),
  ];
}

async function main(): Promise<number> {
  try {
    const { json, shell, help, need, offline } = parse(process.argv.slice(2));
    if (help) {
      console.log(usage);
      return 0;
    }
    // A user who names it wants an answer of now.
    const toolchain = await resolveToolchain({ need, offline, retry: true });
    if (json) console.log(JSON.stringify(toolchain, null, 2));
    else if (shell) console.log(shellLine(toolchain));
    else {
      console.log(table(toolchain));
      for (const hint of hints(toolchain)) console.error(`\n${hint}`);
    }
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    if (!(error instanceof UsageError)) return 1;
    console.error(usage);
    return 2;
  }
}

process.exitCode = await main();

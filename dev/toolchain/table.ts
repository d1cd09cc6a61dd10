import type { PluginTool, Tool } from "../../cli/toolchain/types";
import type { Toolchain } from "./resolve";

function rows(toolchain: Toolchain): [name: string, tool: Tool][] {
  const named: [string, Tool | undefined][] = [
    ["pulumi", toolchain.pulumi],
    ["language host (nodejs)", toolchain.languageHost],
    ...Object.entries(toolchain.plugins).map(([name, tool]): [string, PluginTool] => [`plugin ${name}`, tool]),
    ["openbao", toolchain.openbao],
    ["moto", toolchain.moto],
    ["kubernetes-validate", toolchain.kubernetesValidate],
    ["shellcheck", toolchain.shellcheck],
  ];
  return named.filter((row): row is [string, Tool] => row[1] !== undefined);
}

const origin = (tool: Tool) => (tool.cached ? `${tool.source}, cached` : tool.source);

/** One line a tool, in columns. */
export function table(toolchain: Toolchain): string {
  const cells = rows(toolchain).map(([name, tool]) => [name, tool.version, origin(tool), tool.path]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}

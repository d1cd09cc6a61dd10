import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type PluginVersion, pluginAdvice } from "../../../cli/toolchain/plugin-advice";

const KEY = "secret-rotation:lab";

/** The plugin, and the folder in which the engine runs it: the program's. */
export interface LabOnly extends PluginVersion {
  readonly folder: string;
}

/**
 * A guard that lets only a stack pass whose settings file has the config key `lab`. What belongs to any other is left to
 * the real plugin: an offline one does what this project needs, and has seen no platform but the lab's.
 *
 * @returns throws if the stack of a URN is not a lab, with the command that installs the real plugin
 */
export function labOnly({ folder, ...plugin }: LabOnly): (urn: string) => void {
  const labs = new Set<string>();
  return (urn) => {
    const stack = /^urn:pulumi:(.*?)::/.exec(urn)?.[1];
    // The engine names the stack in every request; a contract test, which has none, need not.
    if (stack === undefined || labs.has(stack)) return;
    const project = projectFolder(folder);
    if (!isLab(project, stack)) throw new Error(refusal(plugin, stack, project));
    labs.add(stack);
  };
}

const refusal = (plugin: PluginVersion, stack: string, project: string) =>
  `the ${plugin.name} plugin v${plugin.version} is missing: the offline one serves only a stack whose config says \`lab\`, ` +
  `and the config of stack ${stack} in ${project} does not. Nothing was changed.\n${pluginAdvice([plugin])}`;

function projectFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
    if (folder === dirname(folder)) return start;
  }
}

interface SettingsFile {
  readonly config?: Record<string, unknown> | null;
}

function isLab(project: string, stack: string): boolean {
  const read = (file: string) => parse(readFileSync(join(project, file), "utf8")) as unknown;
  try {
    const { stackConfigDir = "" } = read("Pulumi.yaml") as { stackConfigDir?: string };
    const file = read(join(stackConfigDir, `Pulumi.${stack}.yaml`)) as SettingsFile | null;
    return (file?.config?.[KEY] ?? undefined) !== undefined;
  } catch {
    return false;
  }
}

/** A plugin by its package's name and the exact version that the engine asks for. */
export interface PluginVersion {
  readonly name: string;
  readonly version: string;
}

/** The command that installs a real plugin. */
export const installCommand = ({ name, version }: PluginVersion) =>
  `pulumi plugin install resource ${name} v${version}`;

/** How to get real plugins, also if Pulumi's own server cannot be reached. */
export function pluginAdvice(missing: readonly PluginVersion[]): string {
  return [
    "Install what is missing:",
    ...missing.map((plugin) => `  ${installCommand(plugin)}`),
    "If Pulumi's plugin server does not answer, add `--server https://YOUR-MIRROR`, or `--file ARCHIVE` with an",
    "archive that was downloaded elsewhere; or put pulumi-resource-NAME on PATH.",
  ].join("\n");
}

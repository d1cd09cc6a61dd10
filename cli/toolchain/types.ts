/** Where a tool came from. `cached` of {@link Tool} says whether this call had to make it. */
export type ToolSource =
  | "PATH"
  | "next to pulumi"
  | "download"
  | "go modules"
  | "pypi"
  | "plugin folder"
  | "plugin install"
  | "offline plugin";

/** One program the project runs, as found or made by the resolver. */
export interface Tool {
  /** Absolute path of the executable. */
  readonly path: string;
  /** Version without a leading "v"; "unknown" when the program does not say. */
  readonly version: string;
  readonly source: ToolSource;
  /** True when it was taken from the cache folder as an earlier call left it there. */
  readonly cached: boolean;
}

/** A provider plugin: the real one, or this project's substitute. */
export interface PluginTool extends Tool {
  readonly kind: "real" | "offline";
}

/** Everything needed to run `pulumi`. */
export interface PulumiTools {
  readonly pulumi: Tool;
  readonly languageHost: Tool;
  /** By package: random, command, ... */
  readonly plugins: Readonly<Record<string, PluginTool>>;
  /** What a caller adds to the environment to run `pulumi`; PATH is complete, not a prefix. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ResolveOptions {
  /** Folder for what the resolver makes. Default: $SECRET_ROTATION_CACHE, else the user's cache folder. */
  cacheDir?: string;
  /** Environment to look in (PATH, HOME, PULUMI_HOME, ...). Default: process.env. */
  env?: NodeJS.ProcessEnv;
  /** Receives each line of progress. Default: stderr, rewritten in place on a terminal. */
  onProgress?: (line: string) => void;
  /** Use only what PATH, the plugin folder and the cache hold; never reach for the network. Default: false. */
  offline?: boolean;
  /** Try the plugin server even if it did not answer within the last hour. Default: false. */
  retry?: boolean;
}

/** A tool is missing and could not be made. The message says what was tried and what to install. */
export class ToolchainError extends Error {
  override readonly name = "ToolchainError";
}

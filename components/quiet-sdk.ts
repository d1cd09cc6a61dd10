import * as pulumi from "@pulumi/pulumi";

/**
 * Ends the debug messages of Pulumi's SDK in this process. They hold the engine's answers with every secret in plain
 * text, and an event log takes them without being asked: `pulumi up --event-log`, which the Automation API always uses,
 * and `--debug`. Pulumi's SDKs for Node.js 22 leave the values out themselves (pulumi/pulumi#24478).
 */
export function silenceDebugMessages(): void {
  Object.assign(pulumi.log, { debug: () => Promise.resolve() });
}

/** A frame whose path ends behind a scope: the SDK's source maps leave its package's name out. */
const WITHOUT_PACKAGE = /[/\\]node_modules[/\\]@[^/\\\n]+[/\\][^/\\\n]*$/;

/**
 * Takes the frames out of errors that Node.js never gets done with: `util.inspect`, by which Pulumi shows every error,
 * repeats such a line until no string is long enough (`markNodeModules` in Node.js 20 and later), which takes a minute
 * before each message. Nothing else is lost: they are Pulumi's own frames.
 */
export function endInspection(): void {
  const shorten = (error: unknown) => {
    if (!(error instanceof Error) || error.stack === undefined) return;
    const lines = error.stack.split("\n");
    error.stack = lines.filter((line) => !WITHOUT_PACKAGE.test(line)).join("\n");
  };
  process.prependListener("uncaughtException", shorten);
  process.prependListener("unhandledRejection", shorten);
}

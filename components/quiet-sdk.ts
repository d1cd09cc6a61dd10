import * as pulumi from "@pulumi/pulumi";

/**
 * Ends the debug messages of Pulumi's SDK in this process. They hold the engine's answers with every secret in plain
 * text, and an event log includes them without a request: `pulumi up --event-log`, which the Automation API always uses,
 * and `--debug`. Pulumi's SDKs for Node.js 22 leave the values out themselves (pulumi/pulumi#24478).
 */
export function silenceDebugMessages(): void {
  Object.assign(pulumi.log, { debug: () => Promise.resolve() });
}

/**
 * Leaves stack traces as V8 writes them, in this process. The SDK installs source-map-support, and takes a stack trace for
 * each resource: mapping them took a seventh of an update that changes nothing. Mapped frames also lose the SDK's
 * name (`node_modules/@pulumi/resource.ts`), and on such a line `util.inspect` of Node.js 20 and later, by which Pulumi
 * shows an error, goes on for a minute (`markNodeModules`).
 */
export function plainStackTraces(): void {
  Object.assign(Error, { prepareStackTrace: undefined });
}

/**
 * Leaves out where in the program a resource was declared, in this process. The SDK sends it with each resource and the
 * engine keeps it: useless lines of a bundle were a fifth of a state that is written after every step.
 */
export function forgetDeclarationTraces(): void {
  Object.assign(pulumi.Resource, { stackTrace: () => [] });
}

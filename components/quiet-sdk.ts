import * as pulumi from "@pulumi/pulumi";

/**
 * Ends the debug messages of Pulumi's SDK in this process. They hold the engine's answers with every secret in plain
 * text, and an event log takes them without being asked: `pulumi up --event-log`, which the Automation API always uses,
 * and `--debug`. Pulumi's SDKs for Node.js 22 leave the values out themselves (pulumi/pulumi#24478).
 */
export function silenceDebugMessages(): void {
  Object.assign(pulumi.log, { debug: () => Promise.resolve() });
}

import { readFileSync } from "node:fs";
import { forgetDeclarationTraces, plainStackTraces, silenceDebugMessages } from "./components/quiet-sdk";
import { RotationStack } from "./kinds/rotation-stack";

/** Carries out what is due in this stack: config -> states -> components -> outputs. */
async function main(): Promise<Record<string, unknown>> {
  const stack = await RotationStack.open({}, readFileSync(__filename));
  return { environment: stack.config.environment, secrets: stack.createAll() };
}

silenceDebugMessages();
plainStackTraces();
forgetDeclarationTraces();

// What Pulumi runs: a CommonJS module's export, awaited, becomes the stack's outputs.
module.exports = main;

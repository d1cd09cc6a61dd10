#!/usr/bin/env node
import { CommanderError } from "commander";
import { createProgram, FOR_STACKS } from "./program";
import { EXIT, explain } from "./run-command";

// Node.js has it from version 21 on. Without it, pg loads the whole of fetch to detect its platform, a fifth of the time
// that a reading command takes to start.
if (!("navigator" in globalThis)) {
  Object.defineProperty(globalThis, "navigator", { value: { userAgent: `Node.js/${process.versions.node}` } });
}

// `rotation report | head` closes the pipe: that is no error, and the work goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

/** Runs the command line and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? EXIT.fine);
  } catch (error) {
    if (error instanceof CommanderError && error.code === FOR_STACKS) return error.exitCode;
    // Commander has printed its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.wrongUse;
    return explain(error);
  }
}

process.exitCode = await main(process.argv.slice(2));

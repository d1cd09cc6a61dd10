#!/usr/bin/env node
import { CommanderError } from "commander";
import { createProgram } from "./program";
import { EXIT, explain } from "./run-command";

// As Node.js 21 and later have it: pg asks where it runs, and without an answer loads the whole of fetch to find out,
// which is a fifth of what a reading command takes to start.
if (!("navigator" in globalThis)) {
  Object.defineProperty(globalThis, "navigator", { value: { userAgent: `Node.js/${process.versions.node}` } });
}

// `rotation report | head` reads no further: nothing to tell, and what is under way goes on.
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
    // Commander has printed its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.wrongUse;
    return explain(error);
  }
}

process.exitCode = await main(process.argv.slice(2));

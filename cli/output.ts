import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const CHUNK = 65_536;

/**
 * Prints a text, or writes it to a file atomically, so that a reader never sees half of it. A text in pieces is never held
 * in memory as a whole, and a closed pipe ends it without an error.
 */
export async function output(text: string | AsyncIterable<string>, file: string | undefined): Promise<void> {
  const pieces = Readable.from(inChunks(typeof text === "string" ? [text] : text));
  if (file === undefined) return pipeline(pieces, process.stdout, { end: false }).catch(unlessClosed);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await pipeline(pieces, createWriteStream(temporary));
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Joins thousands of pieces into few writes; the last one ends with a line end. */
async function* inChunks(pieces: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  let waiting = "";
  let last = "";
  for await (const piece of pieces) {
    waiting += piece;
    if (piece !== "") last = piece;
    if (waiting.length < CHUNK) continue;
    yield waiting;
    waiting = "";
  }
  yield last.endsWith("\n") ? waiting : `${waiting}\n`;
}

function unlessClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
}

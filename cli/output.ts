import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const CHUNK = 65_536;

/**
 * Prints a text, or writes it to a file that others read: in one step, so that nobody ever sees half of it. One that comes
 * in pieces is never held as a whole, and ends in peace where nobody reads on.
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

/** Thousands of pieces as few writes; the last ends with a line end. */
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

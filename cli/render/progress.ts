import { stripVTControlCharacters } from "node:util";

/** Tells on stderr what is going on, so that stdout stays the answer. */
export interface Progress {
  /** What is being done now. On a terminal it turns and is replaced by the next; elsewhere each is a line. */
  step(text: string): void;
  /** A line that stays. */
  note(text: string): void;
  /** Takes the turning line away. */
  stop(): void;
}

const FRAMES = ["|", "/", "-", "\\"];
const EVERY_MS = 120;

/** Progress for a stream; `quiet` (with --json) says nothing. */
export function startProgress(stream: NodeJS.WriteStream, { quiet = false } = {}): Progress {
  if (quiet) return { step: () => undefined, note: () => undefined, stop: () => undefined };
  return stream.isTTY ? turning(stream) : plain(stream);
}

/** What is told only where it lasts longer. */
const SOON_MS = 1000;

/**
 * Tells on stderr what is waited for; with `soon`, only once it has taken a second. `json` says nothing. The work may end it
 * before it is done itself, to print.
 */
export async function during<T>(
  text: string,
  { json, soon = false }: { readonly json?: true; readonly soon?: boolean },
  work: (stop: () => void) => Promise<T>,
): Promise<T> {
  const progress = startProgress(process.stderr, { quiet: json === true });
  const timer = soon ? setTimeout(() => progress.step(text), SOON_MS) : undefined;
  if (!soon) progress.step(text);
  const stop = () => {
    clearTimeout(timer);
    progress.stop();
  };
  try {
    return await work(stop);
  } finally {
    stop();
  }
}

function plain(stream: NodeJS.WriteStream): Progress {
  let last = "";
  return {
    step: (text) => {
      if (text !== last) stream.write(`${text}\n`);
      last = text;
    },
    note: (text) => void stream.write(`${text}\n`),
    stop: () => undefined,
  };
}

function turning(stream: NodeJS.WriteStream): Progress {
  let timer: NodeJS.Timeout | undefined;
  let [text, since, frame] = ["", Date.now(), 0];
  const draw = () => {
    const seconds = Math.floor((Date.now() - since) / 1000);
    const line = `${FRAMES[frame++ % FRAMES.length]} ${text}${seconds > 0 ? ` (${seconds} s)` : ""}`;
    stream.write(`\r\x1b[K${stripVTControlCharacters(line).slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const stop = () => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    stream.write("\r\x1b[K");
  };
  return {
    step: (next) => {
      if (next === text && timer !== undefined) return;
      [text, since] = [next, Date.now()];
      timer ??= setInterval(draw, EVERY_MS);
      // A prompt or an exit must not wait for it.
      timer.unref();
      draw();
    },
    note: (line) => {
      const running = timer !== undefined;
      stop();
      stream.write(`${line}\n`);
      if (running) timer = setInterval(draw, EVERY_MS).unref();
    },
    stop,
  };
}

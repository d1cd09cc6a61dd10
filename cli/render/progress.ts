import { stripVTControlCharacters } from "node:util";
import { wrap } from "./table";

/** Shows progress on stderr, so that stdout has only the answer. */
export interface Progress {
  /**
   * What is being done now. It ends the previous step of the same key: on a terminal that step's line stays, with its
   * duration, above the spinner; elsewhere each step prints a line when it begins and when it ends.
   */
  step(text: string, key?: string): void;
  /** The step of this key failed. */
  failed(key: string): void;
  /** A line that stays. */
  note(text: string): void;
  /** Ends the current steps, as done by default. */
  stop(how?: Ending): void;
}

/** How a step ends: done, stopped, or without a line of its own. */
export type Ending = "done" | "stopped" | "unsaid";

const FRAMES = ["|", "/", "-", "\\"];
const EVERY_MS = 120;
/** The key of steps that belong to no secret. */
const SHARED = "";

/** Progress for a stream; `quiet` (with --json) says nothing. */
export function startProgress(stream: NodeJS.WriteStream, { quiet = false, now = Date.now } = {}): Progress {
  if (quiet) return { step: () => undefined, failed: () => undefined, note: () => undefined, stop: () => undefined };
  return stream.isTTY ? new Turning(stream, now) : new Plain(stream, now);
}

/** With `soon`, shorter work shows no progress. */
const SOON_MS = 1000;

/**
 * Shows progress on stderr while the work runs; with `soon`, only after a second; with `json`, nothing. The work may stop
 * it early, to print.
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
    progress.stop("unsaid");
  };
  try {
    return await work(stop);
  } finally {
    stop();
  }
}

interface Doing {
  readonly text: string;
  readonly since: number;
}

/** The current steps by key, in the order in which they began; writes a line for each that ends. */
abstract class Following implements Progress {
  protected readonly doing = new Map<string, Doing>();

  constructor(
    protected readonly stream: NodeJS.WriteStream,
    private readonly now: () => number,
  ) {}

  protected abstract begun(doing: Doing): void;
  protected abstract ended(line: string): void;
  abstract note(text: string): void;

  step(text: string, key = SHARED): void {
    if (this.doing.get(key)?.text === text) return;
    this.end(key, "done");
    // A step of no secret comes before all secrets, or after one of them was stopped.
    if (key === SHARED) for (const other of [...this.doing.keys()]) this.end(other, "stopped");
    else this.end(SHARED, "done");
    const doing = { text, since: this.now() };
    this.doing.set(key, doing);
    this.begun(doing);
  }

  failed(key: string): void {
    this.end(key, "stopped");
  }

  stop(how: Ending = "done"): void {
    for (const key of [...this.doing.keys()]) this.end(key, how);
  }

  private end(key: string, how: Ending): void {
    const doing = this.doing.get(key);
    if (doing === undefined) return;
    this.doing.delete(key);
    if (how !== "unsaid") this.ended(`${how.padEnd(7)} ${doing.text} (${this.lasted(doing)})`);
  }

  protected lasted({ since }: Doing): string {
    const seconds = (this.now() - since) / 1000;
    return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds)} s`;
  }
}

class Plain extends Following {
  protected override begun({ text }: Doing): void {
    this.stream.write(`${text}\n`);
  }

  protected override ended(line: string): void {
    this.stream.write(`${line}\n`);
  }

  override note(text: string): void {
    this.stream.write(`${text}\n`);
  }
}

class Turning extends Following {
  private timer: NodeJS.Timeout | undefined;
  private frame = 0;

  protected override begun(): void {
    // The timer must not delay a prompt or an exit.
    this.timer ??= setInterval(() => this.draw(), EVERY_MS).unref();
    this.draw();
  }

  protected override ended(line: string): void {
    this.note(line);
  }

  override note(text: string): void {
    this.stream.write(`\r\x1b[K${wrap(text, "", this.width)}\n`);
    if (this.doing.size > 0) this.draw();
  }

  override stop(how?: Ending): void {
    clearInterval(this.timer);
    this.timer = undefined;
    super.stop(how);
    this.stream.write("\r\x1b[K");
  }

  private get width(): number {
    return this.stream.columns || 80;
  }

  private draw(): void {
    const last = [...this.doing.values()].at(-1);
    if (last === undefined) return;
    const others = this.doing.size > 1 ? ` (and ${this.doing.size - 1} more)` : "";
    const line = `${FRAMES[this.frame++ % FRAMES.length]} ${last.text}${others} (${this.lasted(last)})`;
    this.stream.write(`\r\x1b[K${stripVTControlCharacters(line).slice(0, this.width - 1)}`);
  }
}

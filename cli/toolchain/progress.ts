/** Where progress goes: whole lines, and on a terminal one line that is rewritten in place. */
export interface ProgressSink {
  line(text: string): void;
  /** Shows `text` in place of what the last call showed; "" clears it. Absent when not on a terminal. */
  rewrite?(text: string): void;
}

const second = 1_000;

/** "43 s", "5 min 10 s". */
export function elapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / second);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

/** Progress on stderr, so that stdout stays the program's answer. */
export function stderrSink(stream: NodeJS.WriteStream = process.stderr): ProgressSink {
  const line = (text: string) => void stream.write(`${text}\n`);
  if (!stream.isTTY) return { line };
  const erase = "\r\u001b[2K";
  return {
    line: (text) => line(`${erase}${text}`),
    rewrite: (text) => void stream.write(erase + text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))),
  };
}

/** Shows what is being done, and that it is still running. */
export class Progress {
  private readonly underWay = new Set<() => string>();

  constructor(
    private readonly sink: ProgressSink,
    /** Milliseconds between two signs of life: lines, and rewrites on a terminal. */
    private readonly every = { line: 15 * second, rewrite: second },
  ) {}

  note(text: string): void {
    this.sink.line(text);
  }

  /**
   * Runs `work`, showing `text … 43 s (estimate)` while it lasts and a closing line when it was long. On a terminal,
   * simultaneous work shares one line.
   */
  async during<T>(text: string, estimate: string | undefined, work: () => Promise<T>): Promise<T> {
    const started = Date.now();
    const hint = estimate === undefined ? "" : ` (${estimate})`;
    const show = () => `${text} … ${elapsed(Date.now() - started)}${hint}`;
    const { rewrite } = this.sink;
    const rewriteAll = () => rewrite?.([...this.underWay].map((shown) => shown()).join("; "));
    this.underWay.add(show);
    if (rewrite === undefined) this.sink.line(`${text} …${hint}`);
    else rewriteAll();
    const timer = setInterval(
      () => (rewrite === undefined ? this.sink.line(show()) : rewriteAll()),
      rewrite === undefined ? this.every.line : this.every.rewrite,
    );
    try {
      const result = await work();
      const took = Date.now() - started;
      if (took >= second) this.sink.line(`${text}: done in ${elapsed(took)}`);
      return result;
    } finally {
      clearInterval(timer);
      this.underWay.delete(show);
      rewriteAll();
    }
  }
}

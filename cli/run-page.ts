import { readFile } from "node:fs/promises";
import { messageOf } from "../core/errors";
import { UsageError } from "./operate/errors";
import { output } from "./output";
import { type RunLine, runLine } from "./render/run-lines";
import { renderRunPage } from "./render/run-page";

/** Milliseconds between two versions of the page. */
const PAUSE = 1000;

/** Keeps a page of a run, rewritten atomically while the run goes. A page that cannot be written never ends a run. */
export class RunPage {
  private readonly lines: RunLine[] = [];
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  /** @param failed told once why the page cannot be written */
  private constructor(
    private readonly file: string,
    private failed: (why: string) => void,
  ) {}

  /** @throws UsageError if the file cannot be written */
  static async open(file: string, failed: (why: string) => void): Promise<RunPage> {
    const page = new RunPage(file, failed);
    try {
      await output(renderRunPage([], false), file);
    } catch (error) {
      throw new UsageError(`--page: expected a file that can be written: ${messageOf(error)}`);
    }
    return page;
  }

  take(line: RunLine): void {
    // The last figures of a secret's probes are all that is shown of them.
    const before = line.type === "probe" ? this.lines.findIndex((one) => isSameProbe(one, line)) : -1;
    if (before >= 0) this.lines.splice(before, 1);
    this.lines.push(line);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.write(false);
    }, PAUSE).unref();
  }

  /** The last version. */
  async end(): Promise<void> {
    clearTimeout(this.timer);
    this.write(true);
    await this.writing;
  }

  private write(over: boolean): void {
    const text = renderRunPage(this.lines, over);
    this.writing = this.writing
      .then(() => output(text, this.file))
      .catch((error: unknown) => {
        this.failed(`the page ${this.file} cannot be written: ${messageOf(error)}; the run goes on without it`);
        this.failed = () => undefined;
      });
  }
}

const isSameProbe = (one: RunLine, line: RunLine) =>
  one.type === "probe" && line.type === "probe" && one.secret === line.secret;

/** The page of the last run that a file of JSON lines holds. @throws UsageError that names a line that is none */
export async function recordedPage(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new UsageError(`--run: expected a file with the lines of \`rotation run --json\`: ${messageOf(error)}`);
  });
  const lines = text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      return [runLine.parse(JSON.parse(line))];
    } catch {
      throw new UsageError(
        `--run: expected a line of \`rotation run --json\` in line ${index + 1} of ${file}, found something else`,
      );
    }
  });
  const last = lines.at(-1)?.run;
  if (last === undefined) throw new UsageError(`--run: expected the lines of a run in ${file}, found none`);
  return renderRunPage(
    lines.filter(({ run }) => run === last),
    true,
  );
}

import type { RunResult } from "../operate/run-result";
import { colors } from "./colors";
import { renderResult, restarting } from "./run";
import type { RunLine } from "./run-lines";
import { table, WIDTH } from "./table";

/** How the run of one stack ended. */
export interface StackResult {
  readonly stack: string;
  readonly exitCode: number;
  /** If it has no line. */
  readonly outcome?: string;
  readonly seconds?: number;
  /** Its result; undefined if it ended before it had one. */
  readonly line?: Extract<RunLine, { type: "result" }>;
}

/** What a line of `rotation run --json` says; undefined if it is only for machines. */
export function lineInWords(line: RunLine): string | undefined {
  switch (line.type) {
    case "plan":
      return line.action === null ? undefined : line.headline;
    case "phase":
      return line.state === "failed" ? `${line.secret}: ${line.phase ?? "a step"} failed` : undefined;
    case "restart":
      return line.state === "begins"
        ? `${line.secret}: ${restarting({ ...line, host: line.host ?? undefined })}`
        : undefined;
    case "finding":
      return line.level === "info" ? undefined : `${line.level}: ${line.text}`;
    case "note":
      return `note: ${line.text}`;
    case "result":
      return line.outcome === "nothing due" ? "Nothing is due." : renderResult(line as unknown as RunResult, WIDTH);
    default:
      return undefined;
  }
}

/** One line for each stack, and how many ended well. */
export function summary(results: readonly StackResult[]): string {
  const rows = results.map(({ stack, exitCode, outcome, seconds, line }) => [
    stack,
    (exitCode === 0 ? colors.green : colors.red)(outcome ?? line?.outcome ?? `ended with exit code ${exitCode}`),
    changes(line),
    seconds === undefined ? "" : `${seconds.toFixed(1)} s`,
  ]);
  const columns = [
    { title: "STACK" },
    { title: "RESULT" },
    { title: "SECRETS", flexible: true },
    { title: "TIME", align: "right" as const },
  ];
  const fine = results.filter(({ exitCode }) => exitCode === 0).length;
  return `${table(columns, rows)}\n\n${fine} of ${results.length} stacks ended well.`;
}

function changes(line: StackResult["line"]): string {
  const { secrets = [] } = (line ?? {}) as unknown as Partial<Extract<RunResult, { outcome: "done" }>>;
  return secrets.map(({ secret, from, to }) => `${secret} ${from ?? "-"} -> ${to}`).join(", ");
}

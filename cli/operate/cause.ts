/** A command's script, quoted as Go does, which the command plugin puts before what it printed. */
const SCRIPT = /running "(?:[^"\\]|\\.)*":?\n?/g;
/** The part before the script, if it says only that it failed. */
const STATUS = /^(?:exit status|Process exited with status) \d+: $/;

/** An engine's message without any command line: a script does not help a reader, and may be long. */
export function withoutCommandLine(text: string): string {
  return text
    .replace(SCRIPT, "\u0000")
    .split("\n")
    .map((line) => {
      const [before = "", after] = line.split("\u0000");
      if (after === undefined) return line;
      return STATUS.test(before) ? after : [before.replace(/: $/, ""), after].filter((part) => part !== "").join("\n");
    })
    .join("\n");
}

/** Lines that accompany a failure and are never its cause. */
const NOISE: readonly RegExp[] = [
  // Node's own warnings, with its advice how to trace them.
  /^\(node:\d+\) /,
  /^\(Use `\w+ --trace-/,
  /^npm (notice|warn|error code)\b/i,
  /^(warning|note|info|debug|hint)\b ?:/i,
  /^Python \S+ (is|will be) deprecated\b/i,
  /^\S*: ?\w*(Deprecation|Future|User|Resource)Warning: /,
  // A traceback before its last line.
  /^Traceback \(most recent call last\):$/,
  /^\s+/,
  /^During handling of the above exception, /,
  /^The above exception was the direct cause /,
  // The engine's words around a cause.
  /^Running program .* failed with an unhandled exception:$/,
  /^\d+ errors? occurred:$/,
  /^(exit status|Process exited with status) \d+$/,
  /^update (failed|canceled|cancelled)$/,
];

const LONGEST = 500;

/**
 * The line that says why; undefined if there is none.
 *
 * @param about how a line of our own begins: such a line says more than those of other programs.
 */
export function causeIn(text: string, about?: string): string | undefined {
  const lines = withoutCommandLine(text)
    .split("\n")
    .map((line) => line.replace(/^\s+\* /, "").trimEnd())
    .filter((line) => line.trim() !== "");
  const ours = about === undefined ? undefined : lines.findLast((line) => line.startsWith(`${about} `));
  const cause = ours ?? lines.find((line) => NOISE.every((pattern) => !pattern.test(line))) ?? lines[0];
  return cause?.trim().slice(0, LONGEST);
}

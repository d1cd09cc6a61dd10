import { StepError } from "../core/errors";
import { quoted } from "../core/shell-word";
import type { RunScript } from "./shell";

/** A text file where services run, and how it may be written. */
export interface HostFile {
  readonly file: string;
  readonly sudo: boolean;
}

/** Milliseconds. */
const LIMIT = 30_000;

/** How often a file is read again because it was changed while it was being written. */
const TRIES = 5;

/** Statuses of the scripts, of no tool that they call. */
const [MISSING, NOT_KEPT, CHANGED] = [71, 72, 73];

/** The script goes over stdin, also under sudo: what it writes appears in no process list. */
const asRoot = (sudo: boolean, script: string) =>
  sudo ? `sudo -n /bin/sh -s <<'ROTATION_SCRIPT'\n${script}\nROTATION_SCRIPT` : script;

const opened = (file: string) =>
  `set -eu\nfile=$(readlink -f -- ${quoted(file)}) && [ -f "$file" ] || { echo "no such file"; exit ${MISSING}; }`;

/** The content, and what proves later that it is still the same. */
async function readFile(run: RunScript, where: string, { file, sudo }: HostFile) {
  const script = `${opened(file)}\ncksum < "$file"\nbase64 < "$file"`;
  const { status, output } = await run(asRoot(sudo, script), LIMIT);
  const [sum = "", ...lines] = output.trim().split("\n");
  if (status !== 0) throw new StepError(`${file} on ${where} cannot be read: ${said(status, output)}`);
  return { sum: sum.trim(), text: Buffer.from(lines.join(""), "base64").toString("utf8") };
}

/**
 * Whether the file can be replaced: a temporary file can be made beside it with the same owner and mode.
 *
 * @returns its content
 * @throws StepError that says what is missing
 */
export async function checkFile(run: RunScript, where: string, at: HostFile): Promise<string> {
  const { text } = await readFile(run, where, at);
  const { status, output } = await run(asRoot(at.sudo, `${opened(at.file)}\n${copied}`), LIMIT);
  if (status === 0) return text;
  throw new StepError(`${at.file} on ${where} cannot be replaced: ${said(status, output)}`);
}

const copied = `umask 077
copy=$(mktemp "$file.XXXXXX")
trap 'rm -f "$copy"' EXIT
cp -p -- "$file" "$copy"
[ "$(stat -c %u:%g:%a "$file")" = "$(stat -c %u:%g:%a "$copy")" ] ||
  { echo "a copy would belong to $(stat -c %U:%G "$copy") and not to $(stat -c %U:%G "$file")"; exit ${NOT_KEPT}; }`;

/**
 * Changes a file at once (a temporary file, then a rename), with its owner and mode, and never over somebody else's change.
 *
 * @returns whether anything had to change
 * @throws StepError
 */
export async function changeFile(
  run: RunScript,
  where: string,
  at: HostFile,
  change: (text: string) => string,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const { sum, text } = await readFile(run, where, at);
    const wanted = change(text);
    if (wanted === text) return false;
    const script = `${opened(at.file)}
${copied}
base64 -d > "$copy" <<'ROTATION_FILE'
${Buffer.from(wanted, "utf8").toString("base64").replace(/.{76}/g, "$&\n")}
ROTATION_FILE
sync "$copy" 2>/dev/null || :
[ "$(cksum < "$file")" = ${quoted(sum)} ] || { echo "it was changed meanwhile"; exit ${CHANGED}; }
mv -f -- "$copy" "$file"`;
    const { status, output } = await run(asRoot(at.sudo, script), LIMIT);
    if (status === 0) return true;
    if (status !== CHANGED || tries === TRIES)
      throw new StepError(`${at.file} on ${where} was not written: ${said(status, output)}`);
  }
}

const said = (status: number | null, output: string) =>
  output.trim().slice(-300) || (status === null ? "no answer in time" : `exit status ${status}`);

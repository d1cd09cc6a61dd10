import type { RunScript } from "../../../clients/shell";
import { messageOf, StepError } from "../../../core/errors";
import type { RehearsalRow } from "../../../core/rehearsal";
import { quoted } from "../../../core/shell-word";
import { clientAs } from "../../../stores";
import type { Reader } from "../../own-password/place";
import type { Rehearsal } from "./input";

/** Milliseconds. */
const LIMIT = 15_000;

/** The store's paths, read with the reader's own token. None if the config names none. */
export async function readStore(
  reader: string,
  { tokenFile }: Reader,
  run: RunScript,
  { store }: Rehearsal,
): Promise<RehearsalRow[]> {
  if (tokenFile === undefined || store === undefined) return [];
  const row = { reader, path: "store", login: "", rights: "" };
  try {
    const client = clientAs(store.reference, () => tokenIn(tokenFile, run));
    const versions = await Promise.all(
      store.paths.map(async (path) => `${path} version ${(await client.read(path))?.version ?? "none"}`),
    );
    return [{ ...row, verdict: "ok", store: versions.join(", ") }];
  } catch (error) {
    return [{ ...row, verdict: "differs", store: `with the token in ${tokenFile}: ${messageOf(error)}` }];
  }
}

/** Read where the service runs. It is sent to Vault, and put nowhere else. */
async function tokenIn(file: string, run: RunScript): Promise<string> {
  const { status, output } = await run(`cat ${quoted(file)}`, LIMIT);
  const token = output.trim();
  // What `cat` says of a file that it cannot read holds no token.
  if (status !== 0) throw new StepError(`it cannot be read: ${token.slice(0, 200)}`);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new StepError("it holds no token");
  return token;
}

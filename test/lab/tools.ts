import { findOnPath } from "../../toolchain/find";

/** Path of the `bao` binary. */
export async function openBaoPath(): Promise<string> {
  const found = await findOnPath("bao", process.env);
  if (!found) throw new Error("expected bao on PATH, found none");
  return found;
}

import { resolveToolchain } from "../../toolchain/resolve";

/** Path of the `bao` binary. */
export async function openBaoPath(): Promise<string> {
  const { openbao } = await resolveToolchain({ need: ["openbao"], onProgress: () => undefined });
  if (!openbao) throw new Error("expected the toolchain to have OpenBao, found none; run npm run toolchain");
  return openbao.path;
}

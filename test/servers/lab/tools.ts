import { resolveToolchain } from "../../../dev/toolchain/resolve";

/** Path of `moto_server`. */
export async function motoPath(): Promise<string> {
  const { moto } = await resolveToolchain({ need: ["moto"], onProgress: () => undefined });
  if (!moto) throw new Error("expected the toolchain to have moto, found none; run npm run toolchain");
  return moto.path;
}

/** Path of the `bao` binary. */
export async function openBaoPath(): Promise<string> {
  const { openbao } = await resolveToolchain({ need: ["openbao"], onProgress: () => undefined });
  if (!openbao) throw new Error("expected the toolchain to have OpenBao, found none; run npm run toolchain");
  return openbao.path;
}

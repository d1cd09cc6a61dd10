import { afterAll, beforeAll, vi } from "vitest";
import { type Moto, startMoto } from "../../lab/moto";
import { type OpenBao, startOpenBao } from "../../lab/openbao";
import { type StoreClient, storeClient, storeReference } from "../../steps/store";
import type { Wish } from "../../steps/write-entry";
import { testFolder } from "../lab/folder";
import { motoPath, openBaoPath } from "../lab/tools";

/** Takes the environment of a run away again after each file: files share a worker. */
function withFolder<T extends { stop(): Promise<void> }>(start: (dir: string) => Promise<T>): () => T {
  let folder: Awaited<ReturnType<typeof testFolder>> | undefined;
  let server: T | undefined;
  beforeAll(async () => {
    folder = await testFolder();
    server = await start(folder.dir);
  });
  afterAll(async () => {
    await server?.stop();
    await folder?.remove();
    vi.unstubAllEnvs();
  });
  return () => {
    if (server === undefined) throw new Error("the server did not start");
    return server;
  };
}

/** One OpenBao for a file of tests. */
export const useOpenBao = (): (() => OpenBao) =>
  withFolder(async (dir) => startOpenBao({ dir, bin: await openBaoPath() }));

/** One emulator of AWS for a file of tests. */
export const useMoto = (): (() => Moto) => withFolder(async (dir) => startMoto({ dir, bin: await motoPath() }));

/** The environment of a run, for the tests that follow. */
export function setEnv(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
}

/** The store `secret/paper/...` with this token. */
export function vaultStore(address: string, token: string, more: Record<string, string | undefined> = {}): StoreClient {
  setEnv({ VAULT_ADDR: undefined, VAULT_TOKEN: token, VAULT_NAMESPACE: undefined, ...more });
  return storeClient(storeReference.parse({ kind: "vault", address, mount: "secret", environment: "paper" }));
}

/** The store `paper/...` of the emulator. */
export function awsStore({ address, region, env }: Moto): StoreClient {
  setEnv(env);
  return storeClient(storeReference.parse({ kind: "aws", region, endpoint: address, environment: "paper" }));
}

/** A write of `value`, which may overwrite `known`. */
export const wish = (path: string, value: string, known: readonly string[], more: Partial<Wish> = {}): Wish => ({
  entry: { path, value },
  known,
  force: false,
  whenForeign: "TWO WAYS ON",
  ...more,
});

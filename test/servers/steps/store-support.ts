import { readFileSync } from "node:fs";
import { request as forward } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, vi } from "vitest";
import { type Moto, startMoto } from "../../../dev/lab/moto";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { storeClient } from "../../../stores";
import { storeReference } from "../../../stores/schemas";
import type { StoreClient } from "../../../stores/store";
import type { Wish } from "../../../stores/write-entry";
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
export function awsStore({ address, region, env }: Moto, endpoint = address): StoreClient {
  setEnv(env);
  return storeClient(storeReference.parse({ kind: "aws", region, endpoint, environment: "paper" }));
}

/** A write of `value`, which may overwrite `known`. */
export const wish = (path: string, value: string, known: readonly string[], more: Partial<Wish> = {}): Wish => ({
  entry: { path, value },
  known: known.map((one) => ({ path, value: one })),
  force: false,
  whenForeign: "TWO WAYS ON",
  ...more,
});

const CERTIFICATES = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "tls");

/** A file of the test's own authority: `ca.pem` signed `server.pem` (localhost, 127.0.0.1, vault.internal). */
export const tls = (name: string): string => join(CERTIFICATES, name);

/** `target` behind TLS with a certificate that nobody believes who was not told. */
export async function startTls(target: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const [key, cert] = ["server.key", "server.pem"].map((name) => readFileSync(tls(name)));
  const server = createServer({ key, cert }, (asked, answer) => {
    const { method, headers } = asked;
    const outgoing = forward(new URL(asked.url ?? "/", target), { method, headers }, (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    asked.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Moto, startMoto } from "../../lab/moto";
import { type OpenBao, startOpenBao } from "../../lab/openbao";
import { awsBackend, type SecretBackend, vaultBackend } from "../../lab/secret-backend";
import { type StoreClient, storeClient, storeReference } from "../../steps/store";
import { resolveToolchain } from "../../toolchain/resolve";
import { testFolder } from "../lab/folder";

const PATH = "database/password";

describe("an operator's repair of the store", () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let servers: readonly [OpenBao, Moto];

  beforeAll(async () => {
    folder = await testFolder();
    const { openbao, moto } = await resolveToolchain({ need: ["openbao", "moto"] });
    servers = await Promise.all([
      startOpenBao({ dir: folder.dir, bin: openbao?.path ?? "" }),
      startMoto({ dir: folder.dir, bin: moto?.path ?? "" }),
    ]);
  });
  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.stop()) ?? []);
    await folder?.remove();
    vi.unstubAllEnvs();
  });

  function clientOf(backend: SecretBackend): StoreClient {
    for (const [name, value] of Object.entries(backend.env)) vi.stubEnv(name, value);
    return storeClient(storeReference.parse({ mount: "secret", ...backend.config, environment: "paper" }));
  }

  it("Vault: a new version with the value", async () => {
    const backend = await vaultBackend(servers[0], "paper");
    await backend.put(PATH, "ours");
    await backend.put(PATH, "somebody else's");
    const client = clientOf(backend);
    await client.write({ path: PATH, value: "ours" });
    expect(await client.read(PATH)).toMatchObject({ value: "ours", version: "3" });
  });

  it("Vault: half a pair with the generation of the other half", async () => {
    const client = clientOf(await vaultBackend(servers[0], "paper"));
    await client.write({ path: "database/username", value: "trader_b" }, { generation: 3, slot: 1 });
    const found = await servers[0].getSecret("paper/database/username");
    expect(found?.data).toEqual({ value: "trader_b", generation: "3" });
  });

  it("AWS: a new version, half a pair with the label of its slot", async () => {
    const backend = await awsBackend(servers[1], "paper");
    await backend.put(PATH, "ours");
    await backend.put(PATH, "somebody else's");
    const client = clientOf(backend);
    await client.write({ path: PATH, value: "ours" }, { generation: 3, slot: 1 });
    expect(await client.read(PATH)).toMatchObject({ value: "ours" });
    const { VersionStages } = await servers[1].secrets.getSecretValue({ SecretId: `paper/${PATH}` });
    expect(VersionStages?.toSorted()).toEqual(["AWSCURRENT", "slot-b"]);
  });

  it("AWS: a value on its own has no label; a clear message where there is no such secret", async () => {
    const backend = await awsBackend(servers[1], "paper");
    await backend.put("other/password", "a");
    const client = clientOf(backend);
    await client.write({ path: "other/password", value: "b" });
    expect((await client.read("other/password"))?.value).toBe("b");
    await expect(client.write({ path: "no/such", value: "b" })).rejects.toThrow(
      /expected paper\/no\/such in .* to exist, found nothing/,
    );
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenBao } from "../../../dev/lab/openbao";
import { vaultProvider } from "../../../dev/toolchain/plugins/vault";
import { type Resource, session } from "../../unit/contract/session";
import { recordedOpenBao } from "./servers";

let dir: string;
let bao: OpenBao;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "contract-vault-"));
  bao = await recordedOpenBao(dir);
});
afterAll(async () => {
  await bao?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Through the environment alone, as the program's provider is set up. */
async function vault(): Promise<(type: string) => Resource> {
  const environment = { VAULT_ADDR: bao.address, VAULT_TOKEN: bao.rootToken };
  const { resource } = await session("vault", vaultProvider(environment), {});
  return resource;
}

const secretType = "vault:kv/secretV2:SecretV2";
const endpointType = "vault:generic/endpoint:Endpoint";

test("a policy is written, read back and removed", async () => {
  const policy = (await vault())("vault:index/policy:Policy");
  const rules = 'path "secret/data/a" { capabilities = ["read"] }';
  const { id, state, inputs } = await policy.create({ name: "reader", policy: rules });
  expect([id, state.policy]).toEqual(["reader", rules]);
  expect((await policy.read(id, state, inputs)).properties).toMatchObject({ name: "reader", policy: rules });
  const wider = rules.replace('"read"', '"read", "update"');
  const after = await policy.update(id, state, { name: "reader", policy: wider });
  expect(after.policy).toBe(wider);
  await policy.delete(id, after);
  expect(await policy.read(id, after, inputs)).toEqual({});
});

test("a new version keeps what others wrote into the metadata", async () => {
  const secret = (await vault())(secretType);
  const name = "paths/kept";
  const { id, state } = await secret.create({ mount: "secret", name, dataJson: '{"value":"v1"}' });
  await bao.request("POST", `secret/metadata/${name}`, { custom_metadata: { rotation_date: "2026-11-23" } });
  const after = await secret.update(id, state, { mount: "secret", name, dataJson: '{"value":"v2"}' });
  expect(after.metadata).toMatchObject({ version: "2", custom_metadata: '{"rotation_date":"2026-11-23"}' });
});

test("metadata the program gives is written", async () => {
  const secret = (await vault())(secretType);
  const customMetadata = { maxVersions: 5, data: { owner: "trading" } };
  const inputs = { mount: "secret", name: "paths/own", dataJson: "{}", customMetadata };
  const { id, state } = await secret.create(inputs);
  expect(state.customMetadata).toMatchObject({ maxVersions: 5, data: { owner: "trading" } });
  expect((await secret.diff(id, state, inputs)).changes).toBe("DIFF_NONE");
});

test("the order of keys and the spaces in dataJson mean nothing", async () => {
  const secret = (await vault())(secretType);
  const at = { mount: "secret", name: "paths/json" };
  const { id, state } = await secret.create({ ...at, dataJson: '{ "b": 1, "a": "x" }' });
  expect(state.dataJson).toBe('{"a":"x","b":1}');
  expect((await secret.diff(id, state, { ...at, dataJson: '{"a":"x", "b":1}' })).changes).toBe("DIFF_NONE");
});

test("a new path replaces the secret; a secret that is gone is found gone", async () => {
  const secret = (await vault())(secretType);
  const { id, state, inputs } = await secret.create({ mount: "secret", name: "paths/gone", dataJson: "{}" });
  const moved = await secret.diff(id, state, { mount: "secret", name: "paths/elsewhere", dataJson: "{}" });
  expect(moved).toMatchObject({ replaces: ["name"], detailedDiff: { name: { kind: "UPDATE_REPLACE" } } });
  await bao.request("DELETE", "secret/metadata/paths/gone");
  expect(await secret.read(id, state, inputs)).toEqual({});
});

test("an endpoint that may be read shows drift in its own fields only", async () => {
  const endpoint = (await vault())(endpointType);
  await bao.putSecret("paths/endpoint", { value: "x" });
  const path = "secret/metadata/paths/endpoint";
  const inputs = { path, dataJson: '{"max_versions":3}', ignoreAbsentFields: true, disableDelete: true };
  const { id, state, inputs: checked } = await endpoint.create(inputs);
  expect((await endpoint.read(id, state, checked)).properties).toMatchObject({
    dataJson: expect.objectContaining({ value: '{"max_versions":3}' }),
  });
  await bao.request("POST", path, { max_versions: 4 });
  const drifted = (await endpoint.read(id, state, checked)).properties;
  expect((await endpoint.diff(id, drifted as never, inputs)).diffs).toEqual(["dataJson"]);
});

test("an endpoint hands out the fields of the answer that are asked for", async () => {
  const endpoint = (await vault())(endpointType);
  const { state } = await endpoint.create({
    path: "secret/data/paths/answer",
    dataJson: '{"data":{"value":"x"}}',
    disableRead: true,
    writeFields: ["version"],
  });
  expect(state).toMatchObject({ writeData: { version: "1" }, writeDataJson: '{"version":1}' });
});

test("a mount's description is tuned in place", async () => {
  const mount = (await vault())("vault:index/mount:Mount");
  const at = { path: "second", type: "kv-v2" };
  const { id, state } = await mount.create(at);
  expect((await mount.diff(id, state, at)).changes).toBe("DIFF_NONE");
  const after = await mount.update(id, state, { ...at, description: "kept apart", maxLeaseTtlSeconds: 3600 });
  expect(after).toMatchObject({ description: "kept apart", maxLeaseTtlSeconds: 3600, type: "kv-v2" });
  await mount.delete(id, after);
  expect(await mount.read(id, after, {})).toEqual({});
});

test("without a token or an address the error says where to set one; with a wrong one it says 403", async () => {
  const attempt = async (environment: NodeJS.ProcessEnv) => {
    const { resource } = await session("vault", vaultProvider({ HOME: dir, ...environment }), {});
    return resource(secretType)
      .create({ mount: "secret", name: "x", dataJson: '{"value":"very-secret"}' })
      .catch(String);
  };
  expect(await attempt({})).toContain("no vault address: set vault:address or VAULT_ADDR");
  expect(await attempt({ VAULT_ADDR: bao.address })).toContain("no vault token set on Client");
  const refused = await attempt({ VAULT_ADDR: bao.address, VAULT_TOKEN: "s.wrong" });
  expect(refused).toContain("Code: 403");
  expect(refused).not.toMatch(/very-secret|s\.wrong/);
});

test("an older version can be asked for", async () => {
  const { client } = await session("vault", vaultProvider({ VAULT_ADDR: bao.address, VAULT_TOKEN: bao.rootToken }), {});
  const request = (version: number) => ({
    tok: "vault:kv/getSecretV2:getSecretV2",
    args: { mount: "secret", name: "prod/database/password", version },
  });
  const { response } = await client.ask({ method: "Invoke", request: request(1) });
  expect(response?.return).toMatchObject({ data: { value: "pw1" }, version: 1 });
  const { errors } = await client.ask({ method: "Invoke", request: request(9) });
  expect(errors?.[0]).toContain('no secret found at "secret/data/prod/database/password"');
});

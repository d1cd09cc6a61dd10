import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Moto, startMoto } from "../../../dev/lab/moto";
import { awsProvider } from "../../../dev/toolchain/plugins/aws";
import type { Properties } from "../../../dev/toolchain/plugins/values";
import { type Resource, session } from "../../unit/contract/session";
import { motoPath } from "../lab/tools";

let dir: string;
let moto: Moto;
let api: SecretsManager;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "contract-aws-"));
  moto = await startMoto({ dir, bin: await motoPath() });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  api = new SecretsManager({ endpoint: moto.address, region: "eu-central-1", credentials });
});
afterAll(async () => {
  api?.destroy();
  await moto?.stop();
  await rm(dir, { recursive: true, force: true });
});

const secretType = "aws:secretsmanager/secret:Secret";
const versionType = "aws:secretsmanager/secretVersion:SecretVersion";

async function aws(): Promise<(type: string) => Resource> {
  const config: Properties = {
    region: "eu-central-1",
    accessKey: "test",
    secretKey: "test",
    endpoints: JSON.stringify([{ secretsmanager: moto.address }]),
    defaultTags: JSON.stringify({ tags: { platform: "trading" } }),
  };
  const { resource } = await session("aws", awsProvider({}), config);
  return resource;
}

test("a secret is created, described, tagged anew and deleted", async () => {
  const secret = (await aws())(secretType);
  const inputs = { name: "paper/database/password", description: "of trader", tags: { status: "active" } };
  const { id, state, inputs: checked } = await secret.create(inputs);
  expect(id).toMatch(/^arn:aws:secretsmanager:eu-central-1:\d{12}:secret:paper\/database\/password-\w{6}$/);
  expect(state).toMatchObject({
    ...inputs,
    recoveryWindowInDays: 30,
    tagsAll: { platform: "trading", status: "active" },
  });
  expect((await secret.diff(id, state, inputs)).changes).toBe("DIFF_NONE");
  expect((await secret.read(id, state, checked)).inputs).toMatchObject({ tags: { status: "active" } });

  const changed = { ...inputs, tags: { status: "deprecated" }, description: "of nobody", recoveryWindowInDays: 7 };
  expect((await secret.diff(id, state, changed)).diffs).toEqual(["description", "recoveryWindowInDays", "tags"]);
  const after = await secret.update(id, state, changed);
  expect(after).toMatchObject({ description: "of nobody", tags: { status: "deprecated" } });

  await secret.delete(id, after);
  expect((await api.describeSecret({ SecretId: id })).DeletedDate).toBeDefined();
  expect(await secret.read(id, after, checked)).toEqual({});
  await expect(secret.create(inputs)).rejects.toThrow("creating Secrets Manager Secret (paper/database/password)");
});

test("with a window of 0 days the name is free at once", async () => {
  const secret = (await aws())(secretType);
  const inputs = { name: "paper/at-once", recoveryWindowInDays: 0 };
  const { id, state } = await secret.create(inputs);
  await secret.delete(id, state);
  expect((await secret.create(inputs)).id).toMatch(/at-once/);
});

test("a new value is a new version: AWSCURRENT moves, AWSPREVIOUS is the one before", async () => {
  const resource = await aws();
  const { id: secretId } = await resource(secretType).create({ name: "paper/value" });
  const version = resource(versionType);
  const first = await version.create({ secretId, secretString: "v1" });
  expect(first.state).toMatchObject({ secretString: "v1", versionStages: ["AWSCURRENT"] });
  expect((await version.diff(first.id, first.state, { secretId, secretString: "v1" })).changes).toBe("DIFF_NONE");
  const diff = await version.diff(first.id, first.state, { secretId, secretString: "v2" });
  expect(diff).toMatchObject({ replaces: ["secretString"] });

  const second = await version.create({ secretId, secretString: "v2" });
  expect(second.id).not.toBe(first.id);
  expect((await version.read(first.id, first.state, first.inputs)).properties).toMatchObject({
    versionStages: ["AWSPREVIOUS"],
  });
  // A rollback is a stage that moves back.
  const back = await version.update(first.id, first.state, {
    secretId,
    secretString: "v1",
    versionStages: ["AWSCURRENT"],
  });
  expect(back.versionStages).toEqual(["AWSCURRENT"]);
  const current = await api.getSecretValue({ SecretId: secretId, VersionStage: "AWSCURRENT" });
  expect(current.SecretString).toBe("v1");
});

test("a deleted version loses its stages, except AWSCURRENT", async () => {
  const resource = await aws();
  const { id: secretId } = await resource(secretType).create({ name: "paper/deleted" });
  const version = resource(versionType);
  const first = await version.create({ secretId, secretString: "v1" });
  const second = await version.create({ secretId, secretString: "v2" });
  await version.delete(first.id, first.state);
  await version.delete(second.id, second.state);
  const { VersionIdsToStages = {} } = await api.describeSecret({ SecretId: secretId });
  const staged = Object.entries(VersionIdsToStages).filter(([, stages]) => stages.length > 0);
  expect(staged).toEqual([[second.state.versionId, ["AWSCURRENT"]]]);
});

test("a secret that is not there, and a region that nobody named, are said without the value", async () => {
  const version = (await aws())(versionType);
  const refused = await version.create({ secretId: "none", secretString: "very-secret" }).catch(String);
  expect(refused).toContain("putting Secrets Manager Secret (none) value: ResourceNotFoundException");
  expect(refused).not.toContain("very-secret");
  const { resource } = await session("aws", awsProvider({}), {});
  await expect(resource(secretType).read("x")).rejects.toThrow("Missing region: set aws:region or AWS_REGION");
});

test("one tag of a secret whose other tags belong to others, and the list of secrets by the beginning of their names", async () => {
  const { client, resource } = await session("aws", awsProvider({}), {
    region: "eu-central-1",
    accessKey: "test",
    secretKey: "test",
    endpoints: JSON.stringify([{ secretsmanager: moto.address }]),
  });
  const { ARN: secretId = "" } = await api.createSecret({ Name: "live/a", Tags: [{ Key: "owner", Value: "them" }] });
  await api.createSecret({ Name: "paper/live/b" });
  const tags = async () =>
    Object.fromEntries(((await api.describeSecret({ SecretId: secretId })).Tags ?? []).map((t) => [t.Key, t.Value]));

  const tag = resource("aws:secretsmanager/tag:Tag");
  const inputs = { secretId, key: "status", value: "active" };
  const { id, state } = await tag.create(inputs);
  expect(await tags()).toEqual({ owner: "them", status: "active" });
  expect((await tag.diff(id, state, inputs)).changes).toBe("DIFF_NONE");
  await tag.update(id, state, { ...inputs, value: "deprecated" });
  expect((await tag.read(id, state)).properties).toMatchObject({ value: "deprecated" });
  await tag.delete(id, state);
  expect(await tags()).toEqual({ owner: "them" });

  const { response } = await client.ask({
    method: "Invoke",
    request: {
      tok: "aws:secretsmanager/getSecrets:getSecrets",
      args: { filters: [{ name: "name", values: ["live/"] }] },
    },
  });
  expect(response?.return).toMatchObject({ names: ["live/a"], arns: [secretId] });
});

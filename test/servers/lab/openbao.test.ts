import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { pipelinePolicy, servicePolicy } from "../../../dev/lab/policies";
import { testFolder } from "./folder";
import { openBaoPath } from "./tools";

let folder: Awaited<ReturnType<typeof testFolder>>;
let bao: OpenBao;
const scope = { mount: "secret", environment: "paper" };

beforeAll(async () => {
  folder = await testFolder();
  bao = await startOpenBao({ dir: folder.dir, bin: await openBaoPath() });
});
afterAll(async () => {
  await bao?.stop();
  await folder?.remove();
});

async function as(token: string, method: string, path: string, body?: unknown): Promise<number> {
  const answer = await fetch(`${bao.address}/v1/${path}`, {
    method,
    headers: { "X-Vault-Token": token, "Content-Type": `application/${method === "PATCH" ? "merge-patch+" : ""}json` },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  await answer.text();
  return answer.status;
}

test("keeps versions of a secret, and hashes values in its audit log", async () => {
  expect(await bao.getSecret("paper/none")).toBeUndefined();
  expect(await bao.putSecret("paper/a", { value: "first-value" })).toBe(1);
  expect(await bao.putSecret("paper/a", { value: "second-value" })).toBe(2);
  expect(await bao.getSecret("paper/a")).toEqual({ data: { value: "second-value" }, version: 2 });
  const audit = await readFile(bao.auditFile, "utf8");
  expect(audit).toContain("secret/data/paper/a");
  expect(audit).not.toContain("second-value");
});

test("the pipeline's token writes and marks its own environment, and deletes nothing", async () => {
  const token = await bao.createToken("pipeline", pipelinePolicy(scope));
  expect(await as(token, "POST", "secret/data/paper/b", { data: { value: "x" } })).toBe(200);
  expect(await as(token, "GET", "secret/data/paper/b")).toBe(200);
  expect(await as(token, "PATCH", "secret/metadata/paper/b", { custom_metadata: { status: "active" } })).toBe(204);
  expect(await as(token, "DELETE", "secret/metadata/paper/b")).toBe(403);
  expect(await as(token, "POST", "secret/data/prod/b", { data: { value: "x" } })).toBe(403);
  expect(await as(token, "POST", "auth/token/create", {})).toBe(403);
});

test("a service's token only reads", async () => {
  await bao.putSecret("paper/c", { value: "x" });
  const token = await bao.createToken("service", servicePolicy(scope));
  expect(await as(token, "GET", "secret/data/paper/c")).toBe(200);
  expect(await as(token, "POST", "secret/data/paper/c", { data: { value: "y" } })).toBe(403);
});

test("answers nothing while it is sealed, and keeps what it held", async () => {
  await bao.putSecret("paper/d", { value: "kept" });
  await bao.seal();
  expect(await as(bao.rootToken, "GET", "secret/data/paper/d")).toBe(503);
  await bao.unseal();
  expect((await bao.getSecret("paper/d"))?.data).toEqual({ value: "kept" });
});

test("says why the server does not start", async () => {
  await expect(startOpenBao({ dir: folder.dir, bin: "/no/such/bao" })).rejects.toThrow(/cannot start \/no\/such\/bao/);
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { pipelinePolicy, servicePolicy } from "../../../dev/lab/policies";
import { testFolder } from "../lab/folder";
import { openBaoPath } from "../lab/tools";

let folder: Awaited<ReturnType<typeof testFolder>>;
let bao: OpenBao;
beforeAll(async () => {
  folder = await testFolder();
  bao = await startOpenBao({ dir: folder.dir, bin: await openBaoPath() });
});
afterAll(async () => {
  await bao?.stop();
  await folder?.remove();
});

const SCOPE = { mount: "secret", environment: "prod" };

type Ask = (method: string, path: string, body?: unknown) => Promise<number>;

const as =
  (token: string): Ask =>
  async (method, path, body) =>
    (
      await fetch(`${bao.address}/v1/${path}`, {
        method,
        headers: {
          "X-Vault-Token": token,
          ...(method === "PATCH" ? { "Content-Type": "application/merge-patch+json" } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    ).status;

/** All that the pipeline asks of KV v2, in its order, as its provider and its steps do. */
const PIPELINE: Record<string, (ask: Ask, path: string) => Promise<number>> = {
  "asks what it may": (ask, path) => ask("POST", "sys/capabilities-self", { paths: [`secret/data/prod/${path}`] }),
  "writes the first version": (ask, path) => ask("POST", `secret/data/prod/${path}`, { data: { value: "1" } }),
  "writes a new version": (ask, path) => ask("POST", `secret/data/prod/${path}`, { data: { value: "2" } }),
  "reads it back": (ask, path) => ask("GET", `secret/data/prod/${path}`),
  "marks it": (ask, path) => ask("PATCH", `secret/metadata/prod/${path}`, { custom_metadata: { status: "active" } }),
  "reads the marks": (ask, path) => ask("GET", `secret/metadata/prod/${path}`),
};

const SERVICE: typeof PIPELINE = { "reads the value": (ask, path) => ask("GET", `secret/data/prod/${path}`) };

let count = 0;

/** Which of the operations are refused under a policy, by name. */
async function refused(operations: typeof PIPELINE, policy: string, there: boolean): Promise<string[]> {
  count += 1;
  const path = `database/password-${count}`;
  // What is not about the first version starts from one that another writer wrote.
  if (there) await bao.putSecret(`prod/${path}`, { value: "0" });
  const ask = as(await bao.createToken(`policy-${count}`, policy));
  const failed: string[] = [];
  for (const [name, operation] of Object.entries(operations)) {
    const status = await operation(ask, path);
    if (status >= 400) failed.push(name);
  }
  return failed;
}

/** The policy less one capability, for each line and capability it has: what was taken, and what is left. */
function oneLess(policy: string): [string, string][] {
  return [...policy.matchAll(/path "([^"]+)" \{\s*capabilities = \[([^\]]+)\]/g)].flatMap(
    ([block, path, list = ""]) => {
      const capabilities = list.split(",").map((item) => item.trim());
      return capabilities.map((taken): [string, string] => {
        const rest = capabilities.filter((one) => one !== taken);
        const left = rest.length === 0 ? '"deny"' : rest.join(", ");
        return [`${taken} on ${path}`, policy.replace(block, block.replace(list, left))];
      });
    },
  );
}

describe.each([
  ["pipeline", pipelinePolicy(SCOPE), PIPELINE],
  ["services", servicePolicy(SCOPE), SERVICE],
])("deploy/vault/%s.hcl", (_, policy, operations) => {
  test("is enough", async () => {
    expect(await refused(operations, policy, operations === SERVICE)).toEqual([]);
  });

  test.each(oneLess(policy))("without %s it is not", async (taken, less) => {
    const failed = await refused(operations, less, !taken.includes("create"));
    expect(failed.length, taken).toBeGreaterThan(0);
  });

  test("is no more than that: no other environment, no deletion, no policy of its own", async () => {
    await bao.putSecret("paper/database/password", { value: "x" });
    await bao.putSecret("prod/kept", { value: "x" });
    const ask = as(await bao.createToken("exact", policy));
    for (const [method, path, body] of [
      ["GET", "secret/data/paper/database/password"],
      ["POST", "secret/data/paper/database/password", { data: { value: "y" } }],
      ["DELETE", "secret/data/prod/kept"],
      ["DELETE", "secret/metadata/prod/kept"],
      ["POST", "secret/delete/prod/kept", { versions: [1] }],
      ["POST", "secret/destroy/prod/kept", { versions: [1] }],
      ["LIST", "secret/metadata/prod"],
      ["PUT", "sys/policies/acl/exact", { policy: 'path "*" { capabilities = ["sudo"] }' }],
      ["POST", "auth/token/create", {}],
      ["GET", "sys/mounts"],
    ] as const) {
      expect(await ask(method, path, body), `${method} ${path}`).toBe(403);
    }
  });
});

test("the files hold no wildcard over environments and no capability that ends a version", () => {
  for (const policy of [pipelinePolicy(SCOPE), servicePolicy(SCOPE)]) {
    expect(policy).not.toMatch(/"(delete|sudo|root)"|\/data\/\*|path "\*"|ENVIRONMENT/);
  }
});

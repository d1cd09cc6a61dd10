import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAt } from "../../dev/lab/deploy";
import type { OpenBao } from "../../dev/lab/openbao";
import { deployFile, servicePolicy } from "../../dev/lab/policies";
import { poll } from "../../dev/lab/poll";
import type { ManagedProcess } from "../../dev/lab/processes";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { vaultSecretsOperator, withoutKubernetes } from "./ground/binaries";
import { NAMESPACE } from "./ground/cluster-platform";
import { define } from "./ground/kubernetes-cluster";
import { type SyncedService, startOperator, startSyncedService } from "./ground/synced-service";

const missing = await withoutKubernetes();
const POLICY = "vault-secrets-operator";
/** deploy/kubernetes/syncs.yaml for this operator: its rules are comments there, instead of the first one. */
const RIGHTS = deployFile("kubernetes/syncs.yaml")
  .replace(/ {2}- apiGroups: \[external-secrets.io\](?:\n {4}.*)*\n/, "")
  .replace(/^ {2}# /gm, "  ");
const NO_SYNC =
  "the VaultStaticSecret trader: it has not synced within 40 s: DB_PASSWORD and DB_USER of the Kubernetes Secret are not the new values; ";

describe.skipIf(missing !== undefined)(
  `the Vault Secrets Operator between OpenBao and a Deployment${missing ? `: ${missing}` : ""}`,
  () => {
    let platform: SyncedService;
    let operator: ManagedProcess;
    let start: () => Promise<void>;
    beforeAll(async () => {
      const bin = await vaultSecretsOperator();
      platform = await startSyncedService({ vaultStaticSecret: "trader" }, async ({ dir, cluster, vault, also }) => {
        await define(cluster, join(bin, "crds"), "vaultstaticsecrets.secrets.hashicorp.com");
        start = async () => {
          operator = await startOperator({ dir, cluster }, join(bin, "vault-secrets-operator"), ([metrics, probe]) => [
            ...[`--metrics-bind-address=127.0.0.1:${metrics}`, `--health-probe-bind-address=127.0.0.1:${probe}`],
            "--leader-elect=false",
          ]);
        };
        await start();
        also(() => operator.stop());
        await cluster.apply(...(await objects(vault)));
        await poll(() => cluster.kubectl(["get", "secret", "trader", "-n", NAMESPACE]), {
          ...{ what: "the operator has written the Secret", limitMs: 90_000, everyMs: 500 },
        });
        await cluster.kubectl(["apply", "-f", "-"], RIGHTS);
      });
    });
    afterAll(async () => platform?.stop());

    const give = (rights: string) => platform.cluster.kubectl(["apply", "-f", "-"], rights);
    const change = (spec: object) =>
      platform.kubectl("patch", "vaultstaticsecret", "trader", "--type=merge", "-p", JSON.stringify({ spec }));
    const refused = async () => {
      const before = [await platform.generation(), platform.users()];
      const answer = await platform.refused();
      expect([await platform.generation(), platform.users()]).toEqual(before);
      return { answer, said: answer.replace(/\s+/g, " ") };
    };
    const described = async (answer: string) => {
      const env = { KUBECONFIG: platform.cluster.kubeconfig };
      const { code, said } = await inShell(advised("kubectl describe", answer), { env });
      expect(code, said).toBe(0);
      return said;
    };

    it("without the right to request a sync, or to read the Secret, nothing changes", async () => {
      await give(RIGHTS.replace("[vaultstaticsecrets]", "[vaultdynamicsecrets]"));
      expect((await refused()).said).toMatch(/vaultstaticsecrets.secrets.hashicorp.com "trader" is forbidden/);
      await give(RIGHTS.replace("[secrets]", "[configmaps]"));
      expect((await refused()).said).toContain("this account may not get secrets/trader, which compares");
      await give(RIGHTS);
    });

    it("the pods get what was synced: adopted, rotated, rolled back; no login fails", async () => {
      await platform.done();
      expect(platform.users()).toEqual(["trader_b"]);
      await platform.stack.configure("lab", clockAt(89));
      const began = Date.now();
      await platform.done();
      const seconds = Math.round((Date.now() - began) / 1000);
      expect(platform.users()).toEqual(["trader_a"]);
      await platform.requested("back", { activate: 1 });
      await platform.done();
      expect(platform.users()).toEqual(["trader_b"]);
      expect(platform.failed()).toEqual([]);
      console.log(
        `vault secrets operator: a rotation in ${seconds} s, ${platform.pods.logins.length} logins, 0 failed`,
      );
    });

    it("an operator that may not read the store stops the rollout, in the operator's words", async () => {
      const { vault } = platform;
      await vault.request("DELETE", `sys/policies/acl/${POLICY}`);
      await platform.requested("no-right", { rotate: true });
      const { answer, said } = await refused();
      expect(said).toContain(NO_SYNC);
      expect(said).toMatch(
        /; its latest event, of \S+Z, is VaultClientError: Failed to read Vault secret: .*permission denied/,
      );
      expect(await described(answer)).toContain("Failed to read Vault secret");
      await vault.request("PUT", `sys/policies/acl/${POLICY}`, { policy: policyOf(vault) });
      await platform.done();
      expect(platform.users()).toEqual(["trader_a"]);
    });

    it("an operator that does not run is named, as far as its events may be read", async () => {
      await operator.stop();
      await platform.requested("no-operator", { rotate: true });
      const { answer, said } = await refused();
      expect(said).toMatch(/is SecretRotated: Secret synced; is the operator running, and does it read this path/);
      expect(said).toContain(NO_SYNC);
      expect(await described(answer)).toContain("SecretRotated");
      await give(RIGHTS.replace("[events]", "[configmaps]"));
      expect((await refused()).said).toMatch(/its events, which may say why, could not be read .*events is forbidden/);
      await start();
      await platform.done();
      expect(platform.users()).toEqual(["trader_b"]);
    });

    it("an object that stays with one version is refused; one that is never refreshed by itself is no obstacle", async () => {
      await change({ version: 1 });
      await platform.requested("one-version", { rotate: true });
      expect((await refused()).said).toContain(
        "the VaultStaticSecret trader has a fixed version: it never takes a new value",
      );
      await change({ version: null, refreshAfter: null, hmacSecretData: false });
      await platform.done();
      expect(platform.users()).toEqual(["trader_a"]);
      expect(platform.failed()).toEqual([]);
      console.log(`vault secrets operator: ${platform.pods.logins.length} logins with the faults, 0 failed`);
    });
  },
);

const policyOf = ({ mount }: OpenBao) => servicePolicy({ mount, environment: "paper" });

/** How the operator logs in, and what it copies; the keys of the document have other names in the Secret. */
async function objects(vault: OpenBao): Promise<object[]> {
  await vault.request("PUT", `sys/policies/acl/${POLICY}`, { policy: policyOf(vault) });
  await vault.request("POST", "sys/auth/approle", { type: "approle" });
  await vault.request("POST", "auth/approle/role/operator", { token_policies: [POLICY], token_ttl: "1h" });
  const answer = async (method: string, what: string) =>
    (await vault.request(method, `auth/approle/role/operator/${what}`)).data as Record<string, string>;
  const { role_id: roleId } = await answer("GET", "role-id");
  const { secret_id: id = "" } = await answer("POST", "secret-id");
  const ours = (kind: string, name: string, spec: object) => ({
    ...{ apiVersion: "secrets.hashicorp.com/v1beta1", kind, metadata: { name, namespace: NAMESPACE }, spec },
  });
  return [
    {
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "approle", namespace: NAMESPACE } },
      data: { id: Buffer.from(id).toString("base64") },
    },
    ours("VaultConnection", "vault", { address: vault.address }),
    ours("VaultAuth", "vault", {
      ...{ vaultConnectionRef: "vault", method: "appRole", mount: "approle" },
      appRole: { roleId, secretRef: "approle" },
    }),
    ours("VaultStaticSecret", "trader", {
      ...{ vaultAuthRef: "vault", mount: vault.mount, type: "kv-v2", path: "paper/database/password" },
      ...{ refreshAfter: "1h" },
      destination: {
        ...{ name: "trader", create: true },
        transformation: {
          excludeRaw: true,
          templates: {
            DB_USER: { text: '{{ get .Secrets "user" }}' },
            DB_PASSWORD: { text: '{{ get .Secrets "pass" }}' },
          },
        },
      },
    }),
  ];
}

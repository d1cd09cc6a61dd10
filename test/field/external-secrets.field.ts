import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAt } from "../../dev/lab/deploy";
import { deployFile, servicePolicy } from "../../dev/lab/policies";
import { poll } from "../../dev/lab/poll";
import type { ManagedProcess } from "../../dev/lab/processes";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { externalSecrets, withoutKubernetes } from "./ground/binaries";
import { NAMESPACE } from "./ground/cluster-platform";
import { type Cluster, define } from "./ground/kubernetes-cluster";
import { type SyncedService, startOperator, startSyncedService } from "./ground/synced-service";

const missing = await withoutKubernetes();

describe.skipIf(missing !== undefined)(
  `External Secrets, the operator, between OpenBao and a Deployment${missing ? `: ${missing}` : ""}`,
  () => {
    let platform: SyncedService;
    let operator: ManagedProcess;
    let start: () => Promise<void>;
    beforeAll(async () => {
      const bin = await externalSecrets();
      platform = await startSyncedService({ externalSecret: "trader" }, async ({ dir, cluster, vault, also }) => {
        await define(cluster, join(bin, "crds.yaml"), "externalsecrets.external-secrets.io");
        start = async () => {
          const off = ["cluster-store", "cluster-external-secret", "cluster-push-secret", "push-secret"];
          operator = await startOperator({ dir, cluster }, join(bin, "external-secrets"), ([metrics, live]) => [
            ...[`--metrics-addr=127.0.0.1:${metrics}`, `--live-addr=127.0.0.1:${live}`],
            ...off.map((name) => `--enable-${name}-reconciler=false`),
            "--enable-generator-state=false",
          ]);
        };
        await start();
        also(() => operator.stop());
        const policy = servicePolicy({ mount: vault.mount, environment: "paper" });
        await giveToken(cluster, await vault.createToken("external-secrets", policy));
        await cluster.apply(secretStore(vault.address, vault.mount), externalSecret);
        const ready = ["wait", "--for=condition=Ready", "--timeout=60s", "-n", NAMESPACE];
        await poll(() => cluster.kubectl([...ready, "externalsecret/trader"]), {
          ...{ what: "the ExternalSecret is ready", limitMs: 90_000, everyMs: 500 },
        });
        await cluster.kubectl(["apply", "-f", "-"], deployFile("kubernetes/syncs.yaml"));
      });
    });
    afterAll(async () => platform?.stop());

    const refreshEvery = (refreshInterval: string) => {
      const change = JSON.stringify({ spec: { refreshInterval } });
      return platform.kubectl("patch", "externalsecret", "trader", "--type=merge", "-p", change);
    };

    it("without the right to read the Secret, by its name, nothing changes", async () => {
      await platform.kubectl("delete", "role", "secret-rotation-syncs");
      const before = await platform.generation();
      expect((await platform.refused()).replace(/\s+/g, " ")).toMatch(
        /externalsecrets.external-secrets.io "trader" is forbidden/,
      );
      const [role = "", binding = ""] = deployFile("kubernetes/syncs.yaml").split("---");
      await platform.cluster.kubectl(
        ["apply", "-f", "-"],
        role.replace("resources: [secrets]", "resources: [configmaps]"),
      );
      expect((await platform.refused()).replace(/\s+/g, " ")).toContain(
        "this account may not get secrets/trader, which compares",
      );
      expect(await platform.generation()).toBe(before);
      await platform.cluster.kubectl(["apply", "-f", "-"], `${role}\n---\n${binding}`);
    });

    it("the pods get what was synced: adopted, rotated; no login fails", async () => {
      await platform.done();
      expect(platform.users()).toEqual(["trader_b"]);
      await platform.stack.configure("lab", clockAt(89));
      const began = Date.now();
      await platform.done();
      expect(platform.users()).toEqual(["trader_a"]);
      expect(platform.failed()).toEqual([]);
      console.log(
        `external secrets: a rotation in ${Math.round((Date.now() - began) / 1000)} s, ${platform.pods.logins.length} logins, 0 failed`,
      );
    });

    it("an operator that may not read the store stops the rollout, in the operator's words", async () => {
      const before = await platform.generation();
      await giveToken(platform.cluster, "s.revoked");
      await platform.requested("no-token", { rotate: true });
      const answer = await platform.refused();
      expect(answer.replace(/\s+/g, " ")).toMatch(
        /the ExternalSecret trader: it has not synced within 40 s: Ready is False \(SecretSyncedError/,
      );
      expect(await platform.generation()).toBe(before);
      expect(platform.users()).toEqual(["trader_a"]);
      const described = await inShell(advised("kubectl describe", answer), {
        env: { KUBECONFIG: platform.cluster.kubeconfig },
      });
      expect(described.code, described.said).toBe(0);
      expect(described.said).toContain("SecretSyncedError");
      const policy = servicePolicy({ mount: platform.vault.mount, environment: "paper" });
      await giveToken(platform.cluster, await platform.vault.createToken("external-secrets", policy));
      await platform.done();
      expect(platform.users()).toEqual(["trader_b"]);
    });

    it("an operator that does not run, or never refreshes, is named", async () => {
      await operator.stop();
      await platform.requested("no-operator", { rotate: true });
      const before = await platform.generation();
      expect(await platform.refused()).toMatch(/is\s+the\s+operator\s+running/);
      expect(await platform.generation()).toBe(before);
      await refreshEvery("0s");
      await start();
      const answer = (await platform.refused()).replace(/\s+/g, " ");
      expect(answer).toContain("with refreshInterval 0");
      await refreshEvery("1h");
      await platform.done();
      expect(platform.users()).toEqual(["trader_a"]);
      expect(platform.failed()).toEqual([]);
    });
  },
);

const meta = (name: string) => ({ name, namespace: NAMESPACE });

const giveToken = (cluster: Cluster, token: string) =>
  cluster.apply({
    ...{ apiVersion: "v1", kind: "Secret", metadata: meta("vault-token") },
    data: { token: Buffer.from(token).toString("base64") },
  });

const secretStore = (server: string, path: string) => ({
  ...{ apiVersion: "external-secrets.io/v1", kind: "SecretStore", metadata: meta("vault") },
  spec: {
    provider: {
      vault: { server, path, version: "v2", auth: { tokenSecretRef: { name: "vault-token", key: "token" } } },
    },
  },
});

/** The keys of the document have other names in the Secret. */
const externalSecret = {
  ...{ apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", metadata: meta("trader") },
  spec: {
    ...{ refreshInterval: "1h", secretStoreRef: { kind: "SecretStore", name: "vault" } },
    data: [
      { secretKey: "DB_USER", remoteRef: { key: "paper/database/password", property: "user" } },
      { secretKey: "DB_PASSWORD", remoteRef: { key: "paper/database/password", property: "pass" } },
    ],
  },
};

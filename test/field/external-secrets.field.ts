import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAt } from "../../dev/lab/deploy";
import { deployFile, servicePolicy } from "../../dev/lab/policies";
import { poll } from "../../dev/lab/poll";
import { freePort } from "../../dev/lab/ports";
import { type ManagedProcess, startProcess } from "../../dev/lab/processes";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { externalSecrets, withoutKubernetes } from "./ground/binaries";
import { type ClusterPlatform, NAMESPACE, startClusterPlatform } from "./ground/cluster-platform";
import { define } from "./ground/kubernetes-cluster";

const missing = await withoutKubernetes();

describe.skipIf(missing !== undefined)(
  `External Secrets, the operator, between OpenBao and a Deployment${missing ? `: ${missing}` : ""}`,
  () => {
    let platform: ClusterPlatform;
    let operator: ManagedProcess;
    let startOperator: () => Promise<void>;
    beforeAll(async () => {
      const bin = await externalSecrets();
      platform = await startClusterPlatform({
        services: {
          "signal-service": {
            secret: "trader",
            config: {
              timeout: "90s",
              proof: { field: "user", shows: "username" },
              kubernetes: {
                namespace: NAMESPACE,
                sync: {
                  ...{ externalSecret: "trader", timeout: "40s" },
                  keys: { "database/password": { user: "DB_USER", pass: "DB_PASSWORD" } },
                },
              },
            },
          },
        },
        prepare: async ({ dir, cluster, vault, also }) => {
          await define(cluster, join(bin, "crds.yaml"), "externalsecrets.external-secrets.io");
          startOperator = async () => {
            const [metrics, live] = [await freePort(), await freePort()];
            const off = ["cluster-store", "cluster-external-secret", "cluster-push-secret", "push-secret"];
            operator = await startProcess({
              command: join(bin, "external-secrets"),
              args: [
                ...[`--metrics-addr=127.0.0.1:${metrics}`, `--live-addr=127.0.0.1:${live}`],
                ...off.map((name) => `--enable-${name}-reconciler=false`),
                "--enable-generator-state=false",
              ],
              env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
              logFile: join(dir, "external-secrets.log"),
            });
          };
          await startOperator();
          also(() => operator.stop());
          const policy = servicePolicy({ mount: vault.mount, environment: "paper" });
          await giveToken(cluster, await vault.createToken("external-secrets", policy));
          await cluster.apply(secretStore(vault.address, vault.mount), externalSecret);
          const ready = ["wait", "--for=condition=Ready", "--timeout=60s", "-n", NAMESPACE];
          await poll(() => cluster.kubectl([...ready, "externalsecret/trader"]), {
            ...{ what: "the ExternalSecret is ready", limitMs: 90_000, everyMs: 500 },
          });
          await cluster.kubectl(["apply", "-f", "-"], deployFile("kubernetes/syncs.yaml"));
        },
      });
    });
    afterAll(async () => platform?.stop());

    const kubectl = (...args: string[]) => platform.cluster.kubectl([...args, "-n", NAMESPACE]);
    const generation = () => kubectl("get", "deployment", "signal-service", "-o", "jsonpath={.metadata.generation}");
    const users = () => [...new Set(Object.values(platform.pods.users("signal-service")))];
    const rotateNow = (id: string) =>
      platform.stack.configure("request", { id, secret: "database/password", rotate: true, reason: "a test" });

    it("without the right to read the Secret, by its name, nothing changes", async () => {
      await kubectl("delete", "role", "secret-rotation-syncs");
      const before = await generation();
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
      expect(await generation()).toBe(before);
      await platform.cluster.kubectl(["apply", "-f", "-"], `${role}\n---\n${binding}`);
    });

    it("the pods get what was synced: adopted, rotated; no login fails", async () => {
      await platform.done();
      expect(users()).toEqual(["trader_b"]);
      await platform.stack.configure("lab", clockAt(89));
      const start = Date.now();
      await platform.done();
      expect(users()).toEqual(["trader_a"]);
      expect(platform.failed()).toEqual([]);
      console.log(
        `external secrets: a rotation in ${Math.round((Date.now() - start) / 1000)} s, ${platform.pods.logins.length} logins, 0 failed`,
      );
    });

    it("an operator that may not read the store stops the rollout, in the operator's words", async () => {
      const before = await generation();
      await giveToken(platform.cluster, "s.revoked");
      await rotateNow("no-token");
      const answer = await platform.refused();
      expect(answer.replace(/\s+/g, " ")).toMatch(
        /the ExternalSecret trader: it has not synced within 40 s: Ready is False \(SecretSyncedError/,
      );
      expect(await generation()).toBe(before);
      expect(users()).toEqual(["trader_a"]);
      const described = await inShell(advised("kubectl describe", answer), {
        env: { KUBECONFIG: platform.cluster.kubeconfig },
      });
      expect(described.code, described.said).toBe(0);
      expect(described.said).toContain("SecretSyncedError");
      const policy = servicePolicy({ mount: platform.vault.mount, environment: "paper" });
      await giveToken(platform.cluster, await platform.vault.createToken("external-secrets", policy));
      await platform.done();
      expect(users()).toEqual(["trader_b"]);
    });

    it("an operator that does not run, or never refreshes, is named", async () => {
      await operator.stop();
      await rotateNow("no-operator");
      const before = await generation();
      expect(await platform.refused()).toMatch(/is\s+the\s+operator\s+running/);
      expect(await generation()).toBe(before);
      await kubectl("patch", "externalsecret", "trader", "--type=merge", "-p", '{"spec":{"refreshInterval":"0s"}}');
      await startOperator();
      const answer = (await platform.refused()).replace(/\s+/g, " ");
      expect(answer).toContain("with refreshInterval 0");
      await kubectl("patch", "externalsecret", "trader", "--type=merge", "-p", '{"spec":{"refreshInterval":"1h"}}');
      await platform.done();
      expect(users()).toEqual(["trader_a"]);
      expect(platform.failed()).toEqual([]);
    });
  },
);

const meta = (name: string) => ({ name, namespace: NAMESPACE });

const giveToken = (cluster: ClusterPlatform["cluster"], token: string) =>
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

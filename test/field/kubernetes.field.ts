import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { clockAt } from "../../dev/lab/deploy";
import { poll } from "../../dev/lab/poll";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { withoutKubernetes } from "./ground/binaries";
import { type ClusterPlatform, NAMESPACE, startClusterPlatform } from "./ground/cluster-platform";
import { RUNS } from "./ground/kubernetes-login";

const missing = await withoutKubernetes();
const SERVICES = ["signal-service", "orchestrator"];

describe.skipIf(missing !== undefined)(
  `Deployments of a Kubernetes whose pods are kwok's${missing ? `: ${missing}` : ""}`,
  () => {
    let platform: ClusterPlatform;
    beforeAll(async () => {
      const kubernetes = { namespace: NAMESPACE };
      platform = await startClusterPlatform({
        login: "kubernetes",
        services: {
          "signal-service": { config: { kubernetes, timeout: "90s", proof: { field: "user", shows: "username" } } },
          orchestrator: { config: { kubernetes: { ...kubernetes, context: "field" }, timeout: "90s" } },
        },
      });
    });
    afterAll(async () => platform?.stop());

    const kubectl = (...args: string[]) => platform.cluster.kubectl([...args, "-n", NAMESPACE]);
    const asAdministrator = (command: string) => inShell(command, { env: { KUBECONFIG: platform.cluster.kubeconfig } });
    const rollouts = async () =>
      Object.fromEntries(
        await Promise.all(
          SERVICES.map(async (name) => {
            const { metadata, spec, status } = JSON.parse(await kubectl("get", "deployment", name, "-o", "json"));
            return [
              name,
              {
                generation: metadata.generation as number,
                restartedAt: spec.template.metadata.annotations?.["kubectl.kubernetes.io/restartedAt"] as
                  | string
                  | undefined,
                whole: status.observedGeneration === metadata.generation && status.updatedReplicas === 2,
              },
            ] as const;
          }),
        ),
      );
    const users = () => [...new Set(SERVICES.flatMap((name) => Object.values(platform.pods.users(name))))];

    it("takes deploy/kubernetes as it is, and the namespace's rule admits the pod of a run", async () => {
      const { stderr } = await execa("kubectl", ["apply", "-k", join(projectRoot(), "deploy/kubernetes")], {
        env: { KUBECONFIG: platform.cluster.kubeconfig },
      });
      expect(stderr).toBe("");
      const here = ["-n", RUNS.namespace];
      await platform.cluster.kubectl(["create", "job", "once", "--from=cronjob/secret-rotation-paper", ...here]);
      const phase = ["get", "pods", "-l", "job-name=once", "-o", "jsonpath={.items[*].status.phase}", ...here];
      await poll(async () => /^(?:Running|Succeeded)$/.test(await platform.cluster.kubectl(phase)), {
        ...{ what: "a pod of the job", limitMs: 60_000, everyMs: 500 },
      });
    });

    it("without a right that a rollout needs, nothing changes and the message names right and workload", async () => {
      const before = await rollouts();
      const role = JSON.parse(await kubectl("get", "role", "secret-rotation-restarts", "-o", "json"));
      const without = (verb: string) => ({
        ...{ apiVersion: role.apiVersion, kind: role.kind },
        metadata: { name: role.metadata.name, namespace: NAMESPACE },
        rules: role.rules.map((rule: { verbs: string[] }) => ({
          ...rule,
          verbs: rule.verbs.filter((one) => one !== verb),
        })),
      });
      for (const verb of ["patch", "watch"]) {
        await platform.cluster.apply(without(verb));
        const answer = await platform.refused();
        const what = `${verb} deployment/signal-service`;
        expect(answer.replace(/\s+/g, " ")).toContain(
          `kubectl says that this account may not ${what}, which a rollout does`,
        );
        const asked = await inShell(advised("kubectl auth can-i", answer), { env: platform.stack.env });
        expect(asked).toEqual({ code: 1, said: "no" });
      }
      await platform.cluster.apply(without("get"));
      expect(await platform.refused()).toMatch(/signal-service[\s\S]*Forbidden/);
      await platform.cluster.apply(without("none"));
      expect(await rollouts()).toEqual(before);
      const { rows } = await platform.postgres.query("select 1 from pg_roles where rolname like 'trader\\__'");
      expect(rows).toEqual([]);
    });

    it("a Deployment that is paused is found before anything is changed", async () => {
      await kubectl("rollout", "pause", "deployment/orchestrator");
      const before = await rollouts();
      const answer = await platform.refused();
      expect(answer).toMatch(/orchestrator[\s\S]*is paused/);
      expect(await rollouts()).toEqual(before);
      const resumed = await asAdministrator(advised("kubectl rollout resume", answer));
      expect(resumed).toEqual({ code: 0, said: "deployment.apps/orchestrator resumed" });
    });

    it("it adopts, rotates, rolls back and revokes by rollouts; no login fails", async () => {
      const steps: [string, () => Promise<void>, string][] = [
        ["adopted", async () => undefined, "trader_b"],
        ["rotated", () => platform.stack.configure("lab", clockAt(89)), "trader_a"],
        [
          "rolled back",
          () =>
            platform.stack.configure("request", {
              ...{ id: "back", secret: "database/password", activate: 1, reason: "a test" },
            }),
          "trader_b",
        ],
      ];
      for (const [what, change, user] of steps) {
        const before = await rollouts();
        await change();
        await platform.done();
        const after = await rollouts();
        for (const name of SERVICES) {
          const [old, now] = [before[name], after[name]];
          expect(now, what).toMatchObject({ generation: (old?.generation ?? 0) + 1, whole: true });
          expect(now?.restartedAt, what).not.toBe(old?.restartedAt);
        }
        expect(users(), what).toEqual([user]);
      }
      // What was rolled back to is of the first day: it is due again. A day later the grace period of the other is over.
      await platform.stack.configure("lab", clockAt(91));
      await platform.done();
      await platform.stack.configure("lab", clockAt(92));
      const idle = await rollouts();
      await platform.done();
      expect(await rollouts()).toEqual(idle);
      const { rows } = await platform.postgres.query(
        "select rolname from pg_roles where rolname ~ '^trader' and rolcanlogin",
      );
      expect(rows).toEqual([{ rolname: "trader_a" }]);
      expect(platform.failed()).toEqual([]);
    });

    it("a rollout that makes no progress stops the rotation before the next service; the old pods go on", async () => {
      await platform.cluster.kubectl(["cordon", "node-1", "node-2"]);
      const before = await rollouts();
      await platform.stack.configure("request", {
        ...{ id: "again", secret: "database/password", rotate: true, reason: "a test" },
      });
      const answer = await platform.refused();
      expect(answer).toMatch(/signal-service[\s\S]*exceeded its progress deadline/);
      const after = await rollouts();
      expect(after.orchestrator).toEqual(before.orchestrator);
      expect(after["signal-service"]).toMatchObject({ whole: false });
      expect(users()).toEqual(["trader_a"]);
      await platform.cluster.kubectl(["uncordon", "node-1", "node-2"]);
      await platform.done();
      expect(users()).toEqual(["trader_b"]);
      expect(platform.failed()).toEqual([]);
      console.log(`kubernetes: ${platform.pods.logins.length} logins, 0 failed`);
    });
  },
);

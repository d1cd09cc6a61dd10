import { expect, it } from "vitest";
import { clearLocks } from "../../../cli/operate/recover";
import { jobHasEnded, jobOfHost, podHasEnded } from "../../../clients/kubernetes-job";

const over = (type: string, status = "True") => ({ conditions: [{ type, status }] });

it.each([
  ["failed", over("Failed"), true],
  ["complete", { ...over("Complete"), active: 0, terminating: 0 }, true],
  ["failed, and a pod on a node that is lost may run", { ...over("Failed"), terminating: 1 }, false],
  ["failed, and a pod is left", { ...over("Failed"), active: 1 }, false],
  ["about to fail", over("FailureTarget"), false],
  ["suspended", over("Suspended"), false],
  ["not failed", over("Failed", "False"), false],
  ["new", {}, false],
])("a Job that is %s", (_, status, ended) => {
  expect(jobHasEnded(status)).toBe(ended);
});

it.each([
  ["secret-rotation-prod-1-29600000-x7k2p", "secret-rotation-prod-1-29600000"],
  ["secret-rotation-prod-29600000-12", "secret-rotation-prod-29600000"],
  ["laptop", undefined],
  ["ops-mac.local", undefined],
  ["../nodes/x-1", undefined],
])("the Job of the host %s is %s", (host, job) => {
  expect(jobOfHost(host)).toBe(job);
});

it("outside of a cluster, and without an account, nothing is known of a pod", async () => {
  expect(await podHasEnded("job-1-abcde", {})).toBe(false);
  const env = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" };
  expect(await podHasEnded("job-1-abcde", env, "/nonexistent")).toBe(false);
});

it("locks are cleared together or not at all", async () => {
  const lock = (hostname: string) => ({ hostname, username: "rotation", pid: 17, timestamp: "2026-11-30T02:00:00Z" });
  let cancelled = 0;
  const engine = { cancel: async () => void cancelled++ };
  const clear = (...hosts: string[]) =>
    clearLocks(engine, hosts.map(lock), { dir: "/", stack: "prod" }, async (host) => host.startsWith("dead-"));
  await expect(clear("dead-1-abcde", "alive-1-abcde")).rejects.toThrow(/rotation@alive-1-abcde/);
  expect(cancelled).toBe(0);
  expect(await clear("dead-1-abcde")).toEqual([expect.stringContaining("that process is gone")]);
  expect(cancelled).toBe(1);
  expect(await clear()).toEqual([]);
});

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { auditRows, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const HOSTS = ["trading-1", "trading-2", "trading-3", "trading-4"];

/** Four hosts: one service is reloaded in batches, another restarted with hooks that drain and fill it. */
describe("reload, batches over hosts and hooks together, over SSH", () => {
  const bench = useBench({
    labOptions: {
      hosts: HOSTS,
      services: [
        { name: "signal-service", database: "database/password", hosts: HOSTS },
        { name: "orchestrator", database: "database/password" },
      ],
    },
  });
  const said = async (file: string) => {
    const path = join(bench().lab.dir, file);
    return existsSync(path) ? (await readFile(path, "utf8")).trim().split("\n") : [];
  };
  const host = (name: string) =>
    bench().lab.hosts.find((one) => one.name === name) as (typeof bench extends () => infer B
      ? B
      : never)["lab"]["hosts"][number];
  const reloaded = () => HOSTS.filter((name) => host(name).reloads.length > 0);
  const users = () =>
    Promise.all(HOSTS.map(async (name) => (await bench().lab.health("signal-service", name)).database?.user));
  /** Where each line of the hooks goes; what they print must not bring a credential into the audit row. */
  const notes = (file: string) => join(bench().lab.dir, file);

  const configure = async (more: Record<string, unknown> = {}) => {
    const { services } = bench().lab.config;
    const line = (what: string) =>
      `echo "${what} $ROTATION_SERVICE $ROTATION_HOST generation $ROTATION_GENERATION" | tee -a '${notes("hooks")}'`;
    await bench().stack.configure("services", {
      ...services,
      "signal-service": {
        ...services["signal-service"],
        reload: "systemctl reload signal-service",
        proof: { field: "database.user", shows: "username" },
        rollout: { maxUnavailable: 2, canary: 1, bake: "2s" },
        timeout: "15s",
        ...more,
      },
      orchestrator: {
        ...services.orchestrator,
        before: { command: `${line("drains")}; printenv PGPASSWORD VAULT_TOKEN SSH_PRIVATE_KEY; true` },
        after: { command: line("fills"), on: "runner" },
      },
    });
  };

  beforeAll(() => configure());

  it("adopts and rotates: the canary first, then two hosts at once, every one with the new login, none failed", {
    timeout: 600_000,
  }, async () => {
    const { lab } = bench();
    await up(bench());
    expect(await users()).toEqual(HOSTS.map(() => "trader_b"));
    const load = await startLoad(lab, { loginsPerSecond: 40 });
    const before = HOSTS.map((name) => host(name).reloads.length);
    await setDay(bench(), 89);
    const { stdout } = await bench().stack.pulumi(["preview"]);
    expect(stdout).toContain("signal-service");
    await up(bench());
    const { logins } = await load.stop({ logins: 200 });
    expect(logins.failures).toEqual([]);
    expect(await users()).toEqual(HOSTS.map(() => "trader_a"));
    // Reloaded, not restarted: each process is still the first.
    expect(lab.hosts.flatMap(({ restarts }) => restarts.map(({ service }) => service))).toEqual([
      "orchestrator",
      "orchestrator",
    ]);
    expect(HOSTS.map((name) => host(name).reloads.length - 1)).toEqual(before);
    const at = HOSTS.map((name) => host(name).reloads.at(-1)?.at.getTime() ?? 0);
    const [canary = 0, ...others] = at;
    expect(Math.min(...others) - canary).toBeGreaterThanOrEqual(2000);
    expect(at[3]).toBeGreaterThan(Math.max(at[1] ?? 0, at[2] ?? 0));

    const rotated = (await auditRows(bench())).at(-1) as { action: string; outputs: Record<string, unknown> };
    expect(rotated).toMatchObject({ action: "ROTATE", status: "SUCCESS" });
    const { restarts } = rotated.outputs as { restarts: { place: string; said: string; hooks?: { said: string }[] }[] };
    expect(restarts.map(({ place }) => place)).toEqual([
      ...HOSTS.map((name) => `signal-service on ${name}`),
      "orchestrator on trading-1",
    ]);
    expect(restarts[0]?.said).toBe(
      "signal-service on trading-1 is healthy, `database.user` is trader_a, stayed healthy for 2 s",
    );
    expect(restarts[4]?.hooks).toMatchObject([
      { hook: "before", said: "drains orchestrator trading-1 generation 2" },
      { hook: "after", said: "fills orchestrator trading-1 generation 2" },
    ]);
    const { value } = await stored(bench(), "database/password");
    expect(JSON.stringify(rotated)).not.toContain(value);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(await said("hooks")).toHaveLength(4);
  });

  it("stops at a canary whose reload does nothing, leaves the others, and continues there", {
    timeout: 600_000,
  }, async () => {
    const before = reloaded().map((name) => host(name).reloads.length);
    await host("trading-1").setFault("signal-service", { kind: "not-restarted" });
    await setDay(bench(), 180);
    const stopped = await bench().stack.pulumi(["up", "--yes", "--skip-preview"]);
    expect(stopped.exitCode).not.toBe(0);
    const output = (stopped.stdout + stopped.stderr).replace(/\s+/g, " ");
    expect(output).toContain(
      "signal-service on trading-1 was reloaded, but `database.user` of its health answer is trader_a, expected trader_b: it does not use the new credential (services.signal-service.proof).",
    );
    expect(output).toContain(
      "It was in batch 1 of 3, a canary. Left as they are, with the old credential: trading-2, trading-3, trading-4.",
    );
    expect(reloaded().map((name) => host(name).reloads.length)).toEqual([(before[0] ?? 0) + 1, ...before.slice(1)]);
    expect(await users()).toEqual(HOSTS.map(() => "trader_a"));

    await host("trading-1").setFault("signal-service", undefined);
    await up(bench());
    expect(await users()).toEqual(HOSTS.map(() => "trader_b"));
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 3], active: 1 });
    // The hooks of the orchestrator ran once for this rotation.
    expect((await said("hooks")).filter((line) => line.endsWith("generation 3"))).toHaveLength(2);
  });

  it("fails at the first hook of a service, which is left as it is, and runs it again in the run that continues", {
    timeout: 600_000,
  }, async () => {
    const { lab, stack } = bench();
    const { services } = lab.config;
    const restarts = () => lab.hosts.flatMap((one) => one.restarts).length;
    const before = restarts();
    await stack.configure("services", {
      ...services,
      orchestrator: { ...services.orchestrator, before: { command: "echo 'the balancer says no' >&2; exit 3" } },
    });
    await setDay(bench(), 271);
    const stopped = await stack.pulumi(["up", "--yes", "--skip-preview"]);
    expect(stopped.exitCode).not.toBe(0);
    expect((stopped.stdout + stopped.stderr).replace(/\s+/g, " ")).toContain(
      "orchestrator on trading-1: the `before` hook failed (exit status 3); it said: the balancer says no. orchestrator on trading-1 was not restarted: it keeps the old credential.",
    );
    // Without a rollout signal-service is restarted, a host after the other; the orchestrator is not.
    expect(restarts() - before).toBe(4);
    await configure();
    await up(bench());
    expect(restarts() - before).toBe(5);
    expect((await said("hooks")).filter((line) => line.endsWith("generation 4"))).toHaveLength(2);
    expect((await lab.health("orchestrator")).database?.user).toBe("trader_a");
  });
});

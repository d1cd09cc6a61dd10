import { beforeAll, describe, expect, it } from "vitest";
import { type ContainerTools, installContainerTools } from "./container-tools";
import { auditRows, login, setDay, stateOf, stored, useBench } from "./harness";

describe("services under Kubernetes, on this machine, and under Compose, on a host", () => {
  const bench = useBench();
  let tools: ContainerTools;
  const host = () => bench().lab.hosts[0] as NonNullable<ReturnType<typeof bench>["lab"]["hosts"][0]>;
  const restarted = () => host().restarts.map(({ service }) => service);
  const up = async () => {
    const { stack } = bench();
    const env = { PATH: `${host().binDir}:${stack.env.PATH}` };
    const { exitCode, stdout, stderr } = await stack.pulumi(["up", "--yes", "--skip-preview"], { env });
    return { exitCode, output: stdout + stderr };
  };
  /** The lab's services, two of them run otherwise. */
  const configure = (workload: string) => {
    const { services } = bench().lab.config;
    const kubernetes = { context: "lab", namespace: "trading", workload };
    const { orchestrator } = services;
    return bench().stack.configure("services", {
      ...services,
      "signal-service": { health: bench().lab.service("signal-service").healthUrl, kubernetes },
      orchestrator: { ...orchestrator, compose: { project: "trading" } },
    });
  };

  beforeAll(async () => {
    tools = await installContainerTools(host());
    await configure("deployment/signal-service");
  });

  it("restarts each by its own command, in order, and asks for its health", async () => {
    const { exitCode, output } = await up();
    expect(exitCode, output).toBe(0);
    const kubectl = "kubectl --context lab --namespace trading";
    const commands = await tools.commands();
    expect(commands).toContain(`${kubectl} get deployment/signal-service -o name`);
    expect(commands.slice(-3)).toEqual([
      `${kubectl} rollout restart deployment/signal-service`,
      `${kubectl} rollout status deployment/signal-service --timeout=55s`,
      "docker compose --project-name trading restart orchestrator",
    ]);
    expect(restarted()).toEqual(["signal-service", "orchestrator"]);
    for (const service of restarted())
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader_b" } });
  });

  it("finds a workload that is not there before anything is changed", async () => {
    const before = await stored(bench(), "database/password");
    await configure("deployment/signal-servise");
    await setDay(bench(), 89);
    const { exitCode, output } = await up();
    expect(exitCode).not.toBe(0);
    expect(output.replace(/\s+/g, " ")).toContain(
      'signal-service could not be restarted: Error from server (NotFound): deployments.apps "signal-servise" not found; correct services.signal-service',
    );
    expect(output).toContain("nothing was changed");
    expect(await stored(bench(), "database/password")).toEqual(before);
    expect(restarted()).toHaveLength(2);
  });

  it("stops at a rollout that gets nowhere, in kubectl's words, and goes on with it in the next run", async () => {
    await configure("deployment/signal-service");
    await tools.setStuck("signal-service", true);
    const stopped = await up();
    expect(stopped.exitCode).not.toBe(0);
    expect(stopped.output).toContain("0 out of 1 new replicas have been updated");
    expect(stopped.output).toContain("error: timed out waiting for the condition");
    expect(stopped.output).toContain("signal-service on this machine could not be restarted (exit status 1)");
    expect(restarted()).toHaveLength(2);
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1 });

    await tools.setStuck("signal-service", false);
    const { exitCode, output } = await up();
    expect(exitCode, output).toBe(0);
    expect(restarted().slice(2)).toEqual(["signal-service", "orchestrator"]);
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    expect(await login(bench(), "trader_a", (await stored(bench(), "database/password")).value)).toBe("ok");
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE"]);
  });
});

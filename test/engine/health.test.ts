import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { json, rotation, unwrapped } from "./cli-support";
import { refusedUp, setDay, stateOf, up, useBench } from "./harness";
import { expectRefusal } from "./input-support";

const NESTED = '{"status":"unhealthy","checks":{"broker":{"status":"healthy"},"database":{"status":"unhealthy"}}}';

const GREETING = `echo 'Welcome. ERROR 401 {"status":"healthy"}'; echo ERROR >&2\n`;

describe("what a service answers", () => {
  const bench = useBench();
  const host = () => bench().lab.hosts[0] as NonNullable<ReturnType<typeof bench>["lab"]["hosts"][0]>;
  const answers = (code: number, body: string) => host().setFault("orchestrator", { kind: "answers", code, body });
  const configure = (settings: object) =>
    bench().stack.configure("services", {
      ...bench().lab.config.services,
      orchestrator: { ...bench().lab.config.services.orchestrator, ...settings },
    });

  const evidence = async (point: string) => {
    const [validation] = await json<Validation[]>(bench(), ["validate"]);
    return validation?.points.find((one) => one.point === point)?.evidence;
  };
  /** Restarts it, and lets it answer as one of its parts from then on. */
  const RESTART = `systemctl restart orchestrator && printf '%s' '${JSON.stringify({ kind: "answers", code: 200, body: NESTED })}' > orchestrator.fault.json`;

  afterEach(() => host().setFault("orchestrator", undefined));

  it("is judged as a whole: by the preflight", async () => {
    await up(bench());
    await setDay(bench(), 89);
    for (const code of [200, 503]) {
      await expectRefusal(bench(), {
        breaks: async () => {
          await answers(code, NESTED);
          return () => host().setFault("orchestrator", undefined);
        },
        says: [
          "1 of ",
          "not healthy before the start: orchestrator",
          `expected HTTP 2xx with \`status\` healthy, found HTTP ${code} with \`status\` unhealthy (set by services.orchestrator.healthy)`,
          "nothing was changed",
        ],
      });
    }
  });

  it("by `validate` and by `diagnose`, in the same words", async () => {
    const found = "found HTTP 200 with `status` unhealthy (set by services.orchestrator.healthy)";
    await answers(200, NESTED);
    expect(await evidence("services healthy")).toContain(found);
    expect(unwrapped((await rotation(bench(), ["diagnose"])).stdout)).toContain(
      "orchestrator on trading-1 is not healthy",
    );
    await answers(200, '{"status":"healthy"}');
    expect(await evidence("services healthy")).toContain("orchestrator on trading-1");
  });

  it("by the health gate, after a restart that went well", async () => {
    await configure({ timeout: "3s", restart: RESTART });
    await host().setFault("orchestrator", undefined);
    const text = await refusedUp(bench());
    expect(text).toContain("orchestrator on trading-1 was restarted but is not healthy after 3 s; its last answer: ");
    expect(text).toContain("found HTTP 200 with `status` unhealthy (set by services.orchestrator.healthy)");
    await configure({});
  });

  it("is what the config says it must be: a rotation with a service of Spring Boot's, one with a port, one with a command", async () => {
    await answers(200, '{"status":"UP","components":{"db":{"status":"DOWN"}}}');
    await configure({ healthy: { status: 200, field: "status", equals: ["UP"] }, timeout: "10s" });
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });

    await answers(503, "");
    const { port } = bench().lab.service("orchestrator");
    await configure({ health: `tcp://{address}:${port}` });
    await setDay(bench(), 178);
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 3], active: 1 });
  });

  it("and what a login shell says is nobody's answer", async () => {
    await writeFile(join(host().dir, ".bashrc"), GREETING);
    await bench().stack.configure("validation", { logs: "true" });
    expect(await evidence("logs clean")).toContain("no authentication error since");
    await answers(200, NESTED);
    await configure({});
    expect(await evidence("services healthy")).toContain("found HTTP 200 with `status` unhealthy");
  });
});

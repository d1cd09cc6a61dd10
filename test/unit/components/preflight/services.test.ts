import { describe, expect, it } from "vitest";
import type { Ran } from "../../../../clients/shell";
import { checkServices } from "../../../../components/preflight/services";
import { StepError } from "../../../../core/errors";
import type { HealthProbe } from "../../../../core/health";

const http: HealthProbe = {
  kind: "http",
  url: "http://{address}:8000/health",
  rule: { status: [], field: "status", equals: ["healthy"], text: null },
};
const service = (name: string, more: object = {}) => ({ name, probe: http, ...more });
const ALL = { healthy: true, restartable: true };

const coded = (text: string) => Buffer.from(text).toString("base64");
const answer = (status: string) => `health,200,${coded(JSON.stringify({ status }))},`;

/** A machine that answers to what a script contains; the health of its services in their order. */
function machine(health: readonly string[], others: Readonly<Record<string, Ran>> = {}) {
  const scripts: string[] = [];
  const run = async (script: string): Promise<Ran> => {
    scripts.push(script);
    if (script.includes("tell ")) return { status: 0, output: `${health.map(answer).join("\n")}\n` };
    const found = Object.entries(others).find(([part]) => script.includes(part));
    return found?.[1] ?? { status: 0, output: "" };
  };
  return { run, scripts };
}
const check = (services: ReturnType<typeof service>[], asked: typeof ALL, { run }: ReturnType<typeof machine>) =>
  checkServices(services, "10.0.0.7", asked, run);

describe("the services of a machine", () => {
  it("are healthy at the machine's own address, each named", async () => {
    const two = machine(["healthy", "healthy"]);
    expect(await check([service("a"), service("b")], ALL, two)).toEqual(["a healthy", "b healthy"]);
    expect(two.scripts.join()).toContain("http://10.0.0.7:8000/health");
    expect(two.scripts).toHaveLength(2);
  });

  it("all that are not healthy are named, with their answers and nothing of the others", async () => {
    const three = machine(["starting", "healthy", "down"]);
    const refused = await check([service("a"), service("b"), service("c")], ALL, three).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(StepError);
    expect(String(refused)).toMatch(
      /not healthy before the start: a \(its answer: .*starting.*\), c \(its answer: .*down.*\); fix it first$/,
    );
    expect(String(refused)).not.toContain("b (");
  });

  it("may be down if a rollback is to repair them: then nothing is asked of their health", async () => {
    const down = machine(["down"]);
    expect(await check([service("a")], { healthy: false, restartable: false }, down)).toEqual([]);
    expect(down.scripts.join()).not.toContain("tell ");
  });

  it("need tools of the machine, which are all named", async () => {
    for (const [output, named] of [
      ["curl\n", "curl must"],
      ["base64\ntimeout\n", "timeout and base64 must"],
    ] as const) {
      const bare = machine(["healthy"], { "command -v": { status: 0, output } });
      await expect(check([service("a")], ALL, bare)).rejects.toThrow(
        new StepError(`${named} be installed where the services run: the health gate needs it`),
      );
    }
    const { run, scripts } = machine([]);
    await check([], ALL, { run, scripts });
    expect(scripts[0]).toBe("for tool in curl timeout base64; do command -v $tool >/dev/null || echo $tool; done");
  });

  describe("restarts", () => {
    const restarted = { restartCheck: "look-a | cat", restartRights: "may-a" };
    const right = "correct services.a in the config, or ";

    it("are looked at only if they are needed, and what cannot be checked is a note", async () => {
      const notes = { "may-a": { status: 0, output: "\n sudo cannot be asked \n  \n" } };
      const asked = machine(["healthy"], notes);
      expect(await check([service("a", restarted)], ALL, asked)).toEqual(["a healthy", "a: sudo cannot be asked"]);
      expect(asked.scripts.slice(2)).toEqual(["look-a | cat", "may-a"]);
      const idle = machine(["healthy"], notes);
      expect(await check([service("a", restarted)], { healthy: true, restartable: false }, idle)).toEqual([
        "a healthy",
      ]);
      expect(idle.scripts).toHaveLength(2);
    });

    it.each<[what: string, ran: Record<string, Ran>, says: string]>([
      [
        "of a unit that is not there",
        { "look-a": { status: 4, output: " Unit a not found. \n" } },
        `a could not be restarted: Unit a not found.; ${right}what \`look-a\` lacks there`,
      ],
      [
        "that says nothing",
        { "look-a": { status: 3, output: "" } },
        `a could not be restarted: exit status 3; ${right}what \`look-a\` lacks there`,
      ],
      [
        "whose check hangs",
        { "may-a": { status: null, output: "" } },
        `a could not be restarted: no answer in time; ${right}give the account that right`,
      ],
      [
        "that the account may not make",
        { "may-a": { status: 1, output: "x".repeat(700) } },
        `a could not be restarted: ${"x".repeat(600)}; ${right}give the account that right`,
      ],
    ])("%s", async (_, ran, says) => {
      await expect(check([service("a", restarted)], ALL, machine(["healthy"], ran))).rejects.toThrow(
        new StepError(says),
      );
    });

    it("all that are impossible are named at once", async () => {
      const both = machine(["healthy", "healthy"], {
        "look-a": { status: 1, output: "no a" },
        "look-b": { status: 1, output: "no b" },
      });
      const services = [service("a", { restartCheck: "look-a" }), service("b", { restartCheck: "look-b" })];
      await expect(check(services, ALL, both)).rejects.toThrow(
        /^a could not be restarted: no a; .*; b could not be restarted: no b; /,
      );
    });

    it("without a check or a right to look at pass", async () => {
      const only = machine(["healthy"], { "look-a": { status: 0, output: "" } });
      expect(await check([service("a", { restartCheck: "look-a" })], ALL, only)).toEqual(["a healthy"]);
      expect(only.scripts).toHaveLength(3);
    });
  });
});

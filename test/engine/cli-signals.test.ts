import { describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { adviceIn, followAdvice } from "./advice";
import { fine, json, unwrapped } from "./cli-support";
import { EFFECTS } from "./crash-support";
import { auditRows, type Bench, stateOf, useBench } from "./harness";
import { type Sent, signalled } from "./signals";

const SECRET = "database/password";
const EXIT: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

const activeOf = async (bench: Bench) => {
  const state = await stateOf(bench, SECRET);
  return state?.slots[state.active];
};

/** What `rotation diagnose --fix` is told to do: nobody was left to say what to run. */
async function diagnosed(bench: Bench): Promise<readonly string[]> {
  const { findings } = await json<{ findings: { cause: string }[] }>(bench, ["diagnose"]);
  expect(findings.map(({ cause }) => cause)).toContain("a rotation or a rollback is unfinished");
  return ["rotation diagnose --fix --yes --stack paper"];
}

const lastRow = async (bench: Bench) => (await auditRows(bench)).at(-1);

describe("a signal while services restart", () => {
  const bench = useBench();

  it("the platform is adopted", async () => {
    await fine(bench(), ["run", "--yes"]);
  });

  const cases: readonly (Sent & { readonly args: readonly string[] })[] = [
    { signal: "SIGINT", to: "group", args: ["run", SECRET] },
    { signal: "SIGTERM", to: "group", args: ["run", SECRET] },
    { signal: "SIGTERM", to: "CLI", args: ["rotate-now", SECRET, "--reason", "a test"] },
    { signal: "SIGINT", to: "engine", args: ["run", SECRET] },
    { signal: "SIGINT", to: "group", times: 2, args: ["run", SECRET] },
    { signal: "SIGKILL", to: "engine", args: ["run", SECRET] },
    { signal: "SIGKILL", to: "group", args: ["run", SECRET] },
  ];
  for (const { args, ...sent } of cases) {
    const times = sent.times === undefined ? "" : " twice";
    it(`${sent.signal} to the ${sent.to}${times}: ${args[0]} tells the truth, and what it advises finishes the generation`, async () => {
      const before = Number(await activeOf(bench()));
      const load = await startLoad(bench().lab, { loginsPerSecond: 5 });
      const reached = await EFFECTS.restarted.watch(bench());
      const stopped = await signalled(bench(), [...args, "--yes"], reached, sent);
      const all = stopped.stdout + stopped.stderr;
      expect(await activeOf(bench()), all).toBe(before);
      if (sent.signal === "SIGKILL" && sent.to !== "engine") {
        await followAdvice(bench(), await diagnosed(bench()));
      } else {
        const said = unwrapped(stopped.stdout);
        expect(stopped.exitCode, all).toBe(sent.to === "engine" ? 1 : EXIT[sent.signal]);
        expect(said).toContain(`${SECRET}: the rotation to generation ${before + 1} has begun and is not finished`);
        expect(said).toContain(`Store: generation ${before + 1}.`);
        expect(said).not.toContain("Nothing was changed");
        expect(await lastRow(bench()), all).toMatchObject({ status: "FAILED", action: "ROTATE" });
        expect(stopped.stderr).not.toMatch(/Warning/);
        await followAdvice(bench(), adviceIn(stopped.stdout));
      }
      expect(await activeOf(bench())).toBe(before + 1);
      expect(await lastRow(bench())).toMatchObject({ status: "SUCCESS", action: "ROTATE", generation: before + 1 });
      const { logins } = await load.stop();
      expect(logins.failures).toEqual([]);
      expect(logins.tried).toBeGreaterThan(0);
      await bench().lab.healthy();
    });
  }
});

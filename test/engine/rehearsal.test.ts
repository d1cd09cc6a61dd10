import { describe, expect, it } from "vitest";
import type { RehearsalResult } from "../../cli/operate/rehearse";
import type { RehearsalRow } from "../../core/rehearsal";
import { json, rotation, unwrapped } from "./cli-support";
import { refusedUp, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const SECRET = "database/password";

describe("a rotation that is rehearsed from where services are", () => {
  const bench = useBench();
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts).length;
  const rehearsals = async () => {
    const { stdout } = await bench().stack.pulumi(["stack", "export", "--show-secrets"]);
    const { deployment } = JSON.parse(stdout) as {
      deployment: { resources: { urn: string; outputs?: { stdout?: unknown } }[] };
    };
    const step = deployment.resources.find(({ urn }) => urn.endsWith("::database-password-verify-login"));
    const text = step?.outputs?.stdout as string | { plaintext: string };
    const line = typeof text === "string" ? text : (JSON.parse(text.plaintext) as string);
    return (JSON.parse(line) as { rehearsal?: RehearsalRow[] }).rehearsal;
  };
  const services = async (connects: object | undefined) => {
    const { lab, stack } = bench();
    const { orchestrator, ...others } = lab.config.services as Record<string, object>;
    await stack.configure("services", { ...others, orchestrator: { ...orchestrator, ...(connects && { connects }) } });
  };

  it("logs in from each host, and keeps what it saw", async () => {
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ rehearses: true });
    const rows = (await rehearsals()) ?? [];
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row).toMatchObject({ path: "primary", verdict: "ok" });
      expect(row.login).toMatch(/^trader_b logs in from 127\.0\.0\.\d$/);
      expect(row.rights).toMatch(/^as trader: \d+ settings, \d+ roles, rights in \d+ schemas$/);
    }
    const [host] = bench().lab.hosts;
    expect(rows.some(({ reader }) => reader.endsWith(` on ${host?.name}`))).toBe(true);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("is shown at any time by `rotation rehearse`, which changes nothing", async () => {
    const before = await stored(bench(), SECRET);
    const [result] = await json<RehearsalResult[]>(bench(), ["rehearse", SECRET]);
    expect(result).toMatchObject({ secret: SECRET, ok: true });
    expect(result?.rows.map(({ verdict }) => verdict)).toEqual(result?.rows.map(() => "ok"));
    expect(result?.rows.map(({ reader }) => reader)).toContain("the next login, trader_a");
    const { stdout, exitCode } = await rotation(bench(), ["rehearse", SECRET]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("READER");
    expect(await stored(bench(), SECRET)).toEqual(before);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("stops if one service cannot get in in its own way: with the same value in the store and no restart", async () => {
    await services({ parameters: { desk_mode: "live" } });
    const [before, count] = [await stored(bench(), SECRET), restarts()];
    await setDay(bench(), 89);
    const message = unwrapped(await refusedUp(bench()));
    expect(message).toMatch(
      /orchestrator on \S+ over primary: trader_a cannot log in: unrecognized configuration parameter "desk_mode"; neither can trader_b/,
    );
    expect(message).toContain("Store and services are as they were");
    expect(await stored(bench(), SECRET)).toEqual(before);
    expect(restarts()).toBe(count);
    const { exitCode, stdout } = await rotation(bench(), ["rehearse", SECRET, "--json"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("desk_mode");

    // Fixed, the same generation is finished.
    await services(undefined);
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    expect(restarts()).toBeGreaterThan(count);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("is not stopped again by a change of the config alone", async () => {
    const count = restarts();
    await services({ parameters: { desk_mode: "live" } });
    await up(bench());
    expect(restarts()).toBe(count);
  });
});

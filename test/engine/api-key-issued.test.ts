import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { issuerManages, issuerProbe } from "../../dev/lab/key-issuer";
import { keyTail } from "../../dev/lab/services/clients";
import { fine, json, rotation, unwrapped } from "./cli-support";
import { customBench, issuerOf, keysOf, READER, SECRET, TOKEN, working } from "./custom-support";
import { auditRows, setDay, stateFile, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

describe("a key that its issuer makes at this pipeline's request, from its adoption to the end of each key", () => {
  const bench = useBench(customBench());
  const keys = () => keysOf(bench());
  const current = async () => (await stored(bench(), SECRET)).value;
  const rows = async () => (await auditRows(bench())).map(({ action, generation }) => [action, generation]);
  const shown: string[] = [];

  beforeAll(async () => {
    const { stack } = bench();
    const { url, admin, made } = issuerOf(bench());
    vi.stubEnv(TOKEN, admin);
    await stack.configure("secrets", [
      {
        ...{ kind: "api-key", name: SECRET, verify: issuerProbe(url), ...issuerManages(url, TOKEN) },
        ...{ dryRun: { command: "echo fine", service: READER }, restart: [READER], policy: { retryAfter: "10d" } },
      },
    ]);
    await stack.configure("apiKeys", undefined);
    const [{ key, id } = { key: "", id: "" }] = made;
    await stack.configureSecret("adopted", JSON.stringify({ [SECRET]: JSON.stringify({ key, keyId: id }) }));
  });
  afterAll(() => void vi.unstubAllEnvs());

  it("is made, proven, stored and used at the first update, and takes no key from the operator", async () => {
    await up(bench());
    expect(await current()).toBe(keys()[1]);
    expect(await working(bench())).toEqual([true, true]);
    const api_key = { key: keyTail(keys()[1] ?? ""), account: issuerOf(bench()).account };
    expect(await bench().lab.health(READER)).toMatchObject({ status: "healthy", api_key });
    const { exitCode, stderr } = await rotation(bench(), ["key", "add", SECRET]);
    expect([exitCode, unwrapped(stderr)]).toEqual([
      2,
      expect.stringContaining(`the issuer of ${SECRET} makes its keys (config key \`issue\`), so none is supplied`),
    ]);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("rotates by age; killed after the issuer has made the key, it goes on with that one", async () => {
    await setDay(bench(), 89);
    const preview = unwrapped((await bench().stack.pulumi(["preview", "--diff"])).stdout);
    expect(preview).toContain("issues generation 2");
    shown.push(preview);

    let update = 0;
    issuerOf(bench()).losesAnswer = () => void process.kill(update, "SIGKILL");
    const killed = await bench().stack.pulumi(["up", "--yes", "--skip-preview"], { onStart: (pid) => (update = pid) });
    expect(killed.exitCode).not.toBe(0);
    expect([keys().length, await current()]).toEqual([3, keys()[1]]);

    await fine(bench(), ["run", "--yes"]);
    expect([keys().length, await current()]).toEqual([3, keys()[2]]);
    // Generation 0 had to leave its slot: it ended by the id that \`adopted\` has of it.
    expect(await working(bench())).toEqual([false, true, true]);
    expect((await auditRows(bench())).at(-1)).toMatchObject({ outputs: { identity: issuerOf(bench()).account } });
  });

  it("is rolled back, and the key that was left ends by what the issuer called it", async () => {
    await bench().stack.configure("request", { id: "back", secret: SECRET, activate: 1, reason: "a test" });
    await up(bench());
    expect(await current()).toBe(keys()[1]);
    expect(await working(bench())).toEqual([false, true, true]);
    await setDay(bench(), 91);
    shown.push((await up(bench())).stdout);
    expect(await working(bench())).toEqual([false, true, false]);
    expect(await stateOf(bench(), SECRET)).toMatchObject({ slots: [2, 1], active: 1, revoked: true });
    expect(await rows()).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
      ["ROLLBACK", 1],
      ["REVOKE", 2],
    ]);
    const [validation] = await json<Validation[]>(bench(), ["validate", SECRET]);
    expect(validation?.points.filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
  });

  it("leaves no key, and nothing that could make one, in state, log and messages", async () => {
    const state = await readFile(stateFile(bench()), "utf8");
    const { admin, made } = issuerOf(bench());
    const hidden = [admin, ...made.flatMap(({ key, id }) => [key, id])];
    for (const text of [state, JSON.stringify(await auditRows(bench())), ...shown])
      for (const one of hidden) expect(text).not.toContain(one);
  });
});

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { keyTail } from "../../dev/lab/services/clients";
import { fine, json, rotation, unwrapped } from "./cli-support";
import { configureCustom, customBench, folderOf, issuerOf, keysOf, READER, SECRET, working } from "./custom-support";
import { auditRows, refusedUp, setDay, stateFile, stored, UNCHANGED, up, useBench } from "./harness";

describe("a credential of the user's own commands, from its adoption to the end of the previous one", () => {
  const bench = useBench(customBench());
  const keys = () => keysOf(bench());
  const current = async () => (await stored(bench(), SECRET)).value;
  const rows = async () => (await auditRows(bench())).map(({ action, generation }) => [action, generation]);

  beforeAll(async () => {
    await configureCustom(bench());
    await bench().stack.configureSecret("fingerprintKey", randomBytes(32).toString("base64"));
  });
  afterAll(() => void vi.unstubAllEnvs());

  it("continues with the key that the issuer made before the update was killed, and ends what leaves its slot", async () => {
    await up(bench());
    expect(await current()).toBe(keys()[1]);
    expect(await working(bench())).toEqual([true, true]);
    expect(await bench().lab.health(READER)).toMatchObject({
      status: "healthy",
      api_key: { key: keyTail(keys()[1] ?? ""), account: issuerOf(bench()).account },
    });

    await setDay(bench(), 89);
    const killed = await bench().stack.pulumi(["up", "--yes", "--skip-preview"], {
      onStart: (pid) => void writeFile(join(folderOf(bench()), "dies"), String(pid)),
    });
    expect(killed.exitCode).not.toBe(0);
    expect(keys()).toHaveLength(3);
    expect(await current()).toBe(keys()[1]);

    await fine(bench(), ["run", "--yes"]);
    expect(keys()).toHaveLength(3);
    expect(await current()).toBe(keys()[2]);
    // Generation 0 had to leave its slot.
    expect(await working(bench())).toEqual([false, true, true]);
    expect((await auditRows(bench())).at(-1)).toMatchObject({ outputs: { identity: issuerOf(bench()).account } });
    expect(await rows()).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
    ]);
  });

  it("ends the previous one after its grace period, and refuses to go back to it", async () => {
    await setDay(bench(), 91);
    await up(bench());
    expect(await working(bench())).toEqual([false, false, true]);
    expect((await rows()).at(-1)).toEqual(["REVOKE", 1]);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    const request = { id: "ended", secret: SECRET, reason: "a test", activate: 1 };
    await bench().stack.configure("request", request);
    const said = unwrapped(await refusedUp(bench()));
    expect(said).toContain(`generation 1 of ${SECRET} has ended at its issuer, which cannot bring it back`);
    expect(said).toContain("nothing was changed");

    const [validation] = await json<Validation[]>(bench(), ["validate", SECRET]);
    expect(validation?.points.filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
    expect(JSON.stringify(validation)).toContain("refused: the issuer answers 401");

    const state = await readFile(stateFile(bench()), "utf8");
    const log = JSON.stringify(await auditRows(bench()));
    for (const key of keys()) for (const text of [state, log, said]) expect(text).not.toContain(key);
  });

  it("a value that was changed by hand is put back, and one that leaked has ended within the command", async () => {
    await bench().stack.configure("request", undefined);
    await bench().lab.store.put(SECRET, "changed-by-hand");
    const found = await rotation(bench(), ["diagnose", SECRET]);
    expect(unwrapped(found.stdout)).toContain("the store holds other values than those in use");
    await fine(bench(), ["diagnose", SECRET, "--fix", "--yes"]);
    expect(await current()).toBe(keys()[2]);

    const leaked = await rotation(bench(), ["leaked", "--respond", "--yes"], { input: keys()[2] ?? "" });
    expect([leaked.exitCode, unwrapped(leaked.stdout + leaked.stderr)]).toEqual([
      0,
      expect.stringContaining("refused"),
    ]);
    expect(await working(bench())).toEqual([false, false, false, true]);
    expect(await current()).toBe(keys()[3]);
    expect((await auditRows(bench())).slice(-2).map(({ action, status }) => [action, status])).toEqual([
      ["ROTATE", "SUCCESS"],
      ["LEAK", "SUCCESS"],
    ]);
  });

  it("in a document with others' keys: a rollback over an update that was killed revokes what it made, and leaves nothing", async () => {
    const { lab, stack } = bench();
    const document = "market-data/shared";
    const others = { owner: "another team", api_key: "theirs" };
    await lab.store.putDocument(document, { ...others, search_key: keys()[3] });
    await configureCustom(bench(), { format: "both", path: document, keys: { key: "search_key" } });
    await stack.configure("request", { id: "again", secret: SECRET, rotate: true, reason: "a test" });
    await up(bench());
    const held = async () => (await lab.store.getDocument(document))?.data;
    expect(await held()).toEqual({ ...others, search_key: keys()[4] });

    await stack.configure("request", { id: "killed", secret: SECRET, rotate: true, reason: "a test" });
    const killed = await stack.pulumi(["up", "--yes", "--skip-preview"], {
      onStart: (pid) => void writeFile(join(folderOf(bench()), "dies"), String(pid)),
    });
    expect([killed.exitCode === 0, keys().length]).toEqual([false, 6]);
    await fine(bench(), ["rollback", SECRET, "--yes", "--reason", "a test"]);
    // The one before had to leave its slot; what the killed update made was never in use, and no update knew it.
    expect(await working(bench())).toEqual([false, false, false, false, true, false]);
    expect([await held(), await current()]).toEqual([{ ...others, search_key: keys()[4] }, keys()[4]]);
  });
});

import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { rotation, unwrapped } from "../cli-support";
import { setDay, stateOf, UNCHANGED, up } from "../harness";
import { platformOf } from "../input-support";
import { type FaultCase, faultMatrix, nextDue } from "./matrix";
import type { World } from "./world";

/**
 * From the first write to the store on, the engine's files may not grow: as on a full disk, a write of the state fails
 * with an error. It needs no rights, unlike a small file system of its own.
 */
const fullDisk: FaultCase["breaks"] = async (world: World) => {
  const { vault, stack } = world;
  const when = ({ method, path }: { method: string; path: string }) =>
    method !== "GET" && path === "/v1/secret/data/paper/database/username";
  const limit = async () => {
    const pids = await enginesOf(String(stack.env.PULUMI_HOME));
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) await promisify(execFile)("prlimit", ["--pid", pid, "--fsize=1024"]);
  };
  vault.inject({ when, times: 1, fault: { first: limit } });
  return async () => {
    vault.clear();
    // Pulumi renames what it could write over the state.
    const torn = await rotation(world, ["diagnose", "--json"]);
    expect(JSON.parse(torn.stdout), torn.stderr).toMatchObject({ findings: [{ cause: TORN }] });
    const mended = await rotation(world, ["diagnose", "--fix", "--yes"]);
    expect(unwrapped(mended.stdout), mended.stderr).toMatch(/done: restored .*paper\.json from its copy/);
  };
};

const TORN = "the state is half written, as by an update on a full disk";

/** The `pulumi` processes of a stack. */
async function enginesOf(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const engines = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      const [environment, command] = await Promise.all([read("environ"), read("cmdline")]);
      const isEngine = /(^|\/)pulumi$/.test(command.split("\0")[0] ?? "");
      return isEngine && environment.includes(`PULUMI_HOME=${home}`) ? [pid] : [];
    }),
  );
  return engines.flat();
}

const CASES: Record<string, FaultCase> = {
  "its disk is full when the state is to be saved": {
    breaks: fullDisk,
    by: "rotation",
    says: [
      /failed to save snapshot: [\s\S]*file too large/,
      /state\s+could\s+not\s+be\s+read[\s\S]*begun\s+is\s+not\s+known/,
      "free disk space where the state is kept",
      "rotation run --yes --stack paper",
    ],
    // The step that writes the pair has finished when the engine saves that.
    reached: { role: true, stored: true },
  },
};

const clock = (world: () => World) =>
  it("its clock jumps back: nothing is done, and a warning says why; once it is right again, one step", async () => {
    const day = await nextDue(world());
    await up(world());
    const before = await platformOf(world());
    await setDay(world(), day - 60);
    const behind = await up(world());
    expect(behind.stdout).toMatch(UNCHANGED);
    expect(behind.stdout).toMatch(
      /this machine's clock says 20\S+Z, which is before the last step \(ROTATE at 20\S+Z\)/,
    );
    expect(behind.stdout).toContain("Nothing becomes due before it has caught up (60d): correct it (`timedatectl`)");
    expect(await platformOf(world())).toEqual(before);

    await setDay(world(), day + 89);
    await up(world());
    const [from, to] = [before.state, await stateOf(world())] as { slots: number[]; active: number }[];
    expect(to?.slots[to.active]).toBe(Number(from?.slots[from.active]) + 1);
  });

faultMatrix("the machine", CASES, { more: clock });

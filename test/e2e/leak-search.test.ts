import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { poll } from "../../lab/poll";
import { useBench } from "./harness";
import { filesBelow, labSecrets, leaksIn, watchProcesses } from "./leak-support";

describe("the search for credentials", () => {
  const bench = useBench();

  it("finds one in each of the places, however it is written", async () => {
    const { lab, stack } = bench();
    const name = "the adopted database/password";
    const value = String(lab.adopted["database/password"]);
    const secrets = labSecrets(bench());
    const url = `postgresql://trader:${encodeURIComponent("it's %")}`;
    const forms = [
      `password=${value};`,
      Buffer.from(value).toString("base64"),
      Buffer.from(`{"a":"${value}"}`).toString("base64"),
      Buffer.from(`{"ab":"${value}"}`).toString("base64url"),
      Buffer.from(`{"abc":"${value}"}`).toString("base64"),
      Buffer.from(value).toString("hex"),
    ];
    for (const form of forms) expect(leaksIn(`before ${form} after`, secrets), form).toEqual([name]);
    expect(leaksIn(url, { odd: "it's %" })).toEqual(["odd"]);

    const watch = watchProcesses();
    const child = spawn("sh", ["-c", "sleep 20; :", value], { stdio: "ignore" });
    await poll(async () => (await readFile(`/proc/${child.pid}/cmdline`, "utf8")).includes(value), {
      what: "the planted process",
      limitMs: 5000,
    });
    const scratch = await mkdtemp(join(tmpdir(), "secret-rotation-leak-"));
    try {
      await lab.postgres.query(`SELECT '${value}'`);
      await writeFile(join(stack.stateDir, ".pulumi", "planted.json"), forms[2] ?? "");
      await writeFile(join(stack.projectDir, "planted.txt"), value);
      await promisify(execFile)("sh", ["-c", `printf %s "$0" > ${join(scratch, "out")}`, value]);
      const files = await Promise.all([stack.stateDir, stack.projectDir, scratch].map(filesBelow));
      for (const below of files) expect(leaksIn(below.map(({ text }) => text).join("\n"), secrets)).toEqual([name]);
      expect(leaksIn(await readFile(lab.postgres.logFile, "utf8"), secrets)).toEqual([name]);
    } finally {
      const seen = await watch.stop();
      child.kill("SIGKILL");
      await rm(scratch, { recursive: true, force: true });
      expect(leaksIn(seen, secrets)).toEqual([name]);
    }
  });
});

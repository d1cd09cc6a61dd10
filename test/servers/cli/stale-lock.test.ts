import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { isStale } from "../../../cli/operate/state-file";
import { poll } from "../../../dev/lab/poll";

const lock = (pid: number, timestamp = new Date().toISOString()) => ({ hostname: hostname(), pid, timestamp });
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

/** A child that has ended and that its parent, which goes on, never asks for its exit code. */
async function zombie(): Promise<number> {
  const parent = spawn("sh", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  ended.push(() => parent.kill("SIGKILL"));
  const [line] = await once(parent.stdout, "data");
  const pid = Number(String(line).trim());
  const isZombie = async () => / Z \d+ /.test(await readFile(`/proc/${pid}/stat`, "utf8"));
  await poll(isZombie, { what: "the child's end", limitMs: 10_000 });
  return pid;
}

describe.runIf(process.platform === "linux")("a lock's holder", () => {
  it("is alive while its process runs", () => {
    expect(isStale(lock(process.pid))).toBe(false);
  });

  it("is gone when its process has ended, though nobody has asked for its exit code", async () => {
    const pid = await zombie();
    expect(process.kill(pid, 0)).toBe(true);
    expect(isStale(lock(pid))).toBe(true);
  });

  it("is gone when another process, which started later, has its number", () => {
    const before = new Date(Date.now() - process.uptime() * 1000 - 60_000).toISOString();
    expect(isStale(lock(process.pid, before))).toBe(true);
  });

  it("on another machine may be alive", () => {
    expect(isStale({ ...lock(process.pid), hostname: "another.example" })).toBe(false);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Readable, Writable } from "node:stream";
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
  // The child lives until its input ends, and that is when its parent is no shell any more, which would reap it.
  const parent = spawn("sh", ["-c", "cat <&3 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  ended.push(() => parent.kill("SIGKILL"));
  const [line] = await once(parent.stdout as Readable, "data");
  const pid = Number(String(line).trim());
  const about = async (process: unknown, file: string) => readFile(`/proc/${process}/${file}`, "utf8");
  const isSleep = async () => (await about(parent.pid, "comm")) === "sleep\n";
  await poll(isSleep, { what: "the shell's end", limitMs: 60_000 });
  (parent.stdio[3] as Writable).end();
  const isZombie = async () => / Z \d+ /.test(await about(pid, "stat"));
  await poll(isZombie, { what: "the child's end", limitMs: 60_000 });
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

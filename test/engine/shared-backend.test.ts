import { hostname } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { deployStack } from "../../dev/lab/deploy";
import { type Lab, startLab } from "../../dev/lab/lab";
import { poll } from "../../dev/lab/poll";
import type { PulumiResult, Stack } from "../../dev/lab/stack";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import { rotation } from "./cli-support";
import { UNCHANGED } from "./harness";

let lab: Lab;
let stack: Stack;
/** The first update's, which is gone. */
let gone: number | undefined;

beforeAll(async () => {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao", "moto"], onProgress: () => undefined });
  lab = await startLab({ openbao: String(tools.openbao?.path), moto: String(tools.moto?.path), store: "aws" });
  const address = String(lab.moto?.address);
  const made = await fetch(`${address}/pulumi-state`, { method: "PUT" });
  expect(made.ok).toBe(true);
  const query = new URLSearchParams({ region: "us-east-1", endpoint: address, s3ForcePathStyle: "true" });
  stack = await deployStack({ lab, tools, backend: `s3://pulumi-state?${query}` });
});
afterAll(async () => {
  await lab?.stop();
});

it("lets one of two updates at once through and tells the other who holds the lock", async () => {
  const up = ["up", "--yes", "--skip-preview"];
  let pid: number | undefined;
  const first: Promise<PulumiResult> = stack.pulumi(up, {
    onStart: (started) => {
      pid = started;
    },
  });
  const locks = async () => {
    const listed = await fetch(`${lab.moto?.address}/pulumi-state?list-type=2&prefix=.pulumi/locks/`);
    return (await listed.text()).includes(".json");
  };
  await poll(locks, { what: "the first update's lock in the bucket", limitMs: 200_000 });

  const second = await stack.pulumi(up);
  const said = second.stdout + second.stderr;
  expect(second.exitCode, said).not.toBe(0);
  expect(said).toContain("the stack is currently locked by 1 lock(s)");
  expect(said).toMatch(new RegExp(`created by \\S+@\\S+ \\(pid ${pid}\\) at `));

  gone = pid;
  const { exitCode, stdout, stderr } = await first;
  expect(exitCode, stdout + stderr).toBe(0);
  const again = await stack.pulumi(up);
  expect(again.exitCode, again.stdout + again.stderr).toBe(0);
  expect(again.stdout).toMatch(UNCHANGED);
});

it("`rotation run` clears the lock of a dead update, and says so, also if nothing is to be done", async () => {
  const lock = { pid: gone, username: "ops", hostname: hostname(), timestamp: "2026-11-23T02:00:00Z" };
  const place = `.pulumi/locks/organization/secret-rotation/${stack.name}/left-behind.json`;
  const put = await fetch(`${lab.moto?.address}/pulumi-state/${place}`, { method: "PUT", body: JSON.stringify(lock) });
  expect(put.ok).toBe(true);
  const { exitCode, stdout, stderr } = await rotation({ stack }, ["run", "--yes"]);
  expect(exitCode, stdout + stderr).toBe(0);
  expect(stdout).toContain("Nothing to do.");
  expect(stderr).toContain(`note: cleared the lock that ops@${hostname()} (pid ${gone}, since 2026-11-23T02:00:00Z)`);
  const next = await stack.pulumi(["up", "--yes", "--skip-preview"]);
  expect(next.exitCode, next.stdout + next.stderr).toBe(0);
});

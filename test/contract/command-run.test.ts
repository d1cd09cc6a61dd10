import { readFile } from "node:fs/promises";
import { join } from "node:path";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { expect, test } from "vitest";
import { poll } from "../../lab/poll";
import { isAlive } from "../../lab/processes";
import { commandProvider } from "../../toolchain/plugins/command";
import { service } from "../../toolchain/plugins/protocol";
import { testFolder } from "../lab/folder";
import { session } from "./session";

const local = "command:local:Command";

async function localCommand() {
  return (await session("command", commandProvider())).resource(local, "job");
}

test("folder, interpreter and environment are the script's own", async () => {
  const { dir, remove } = await testFolder();
  const job = await localCommand();
  const interpreter = [process.execPath, "-e"];
  const create = "console.log(process.cwd(), process.env.NAME)";
  const { state } = await job.create({ create, dir, interpreter, environment: { NAME: "value" } });
  expect(state.stdout).toBe(`${dir} value`);
  await remove();
});

test("an update sees the output of the run before, unless that is switched off", async () => {
  const job = await localCommand();
  const script = "echo before:$PULUMI_COMMAND_STDOUT";
  const { id, state } = await job.create({ create: "echo first" });
  expect((await job.update(id, state, { create: script })).stdout).toBe("before:first");
  const off = { create: script, addPreviousOutputInEnv: false };
  expect((await job.update(id, state, off)).stdout).toBe("before:");
});

test("without a script for it, an update keeps the output and a delete does nothing", async () => {
  const job = await localCommand();
  const { id, state } = await job.create({ create: "echo kept" });
  expect(await job.update(id, state, { delete: "exit 9" })).toMatchObject({ stdout: "kept" });
  await job.delete(id, state);
});

test("standard input that nobody reads is no failure", async () => {
  const { state } = await (await localCommand()).create({ create: "true", stdin: "x".repeat(1_000_000) });
  expect(state.stdout).toBe("");
});

test("a failure never shows the standard input", async () => {
  const error = await (await localCommand())
    .create({ create: 'cat >/dev/null; echo "said\t\\"no\\""; exit 7', stdin: "very-secret" })
    .catch(String);
  expect(error).toContain(
    'exit status 7: running "cat >/dev/null; echo \\"said\\t\\\\\\"no\\\\\\"\\"; exit 7":\nsaid\t"no"\n',
  );
  expect(error).not.toContain("very-secret");
});

test("a cancelled update ends what the script started, too", async () => {
  const { dir, remove } = await testFolder();
  const { client, resource } = await session("command", commandProvider());
  const file = join(dir, "pid");
  const running = resource(local)
    .create({ create: `sleep 600 & echo $! > ${file}; wait` })
    .catch(String);
  const pid = await poll(async () => Number(await readFile(file, "utf8").catch(() => "")) || undefined, {
    what: "the script's child",
    limitMs: 60_000,
  });
  await client.unary(service.cancel, new empty.Empty());
  expect(await running).toContain("signal: killed");
  await poll(async () => !isAlive(pid) || undefined, { what: "the end of the child", limitMs: 60_000 });
  await remove();
});

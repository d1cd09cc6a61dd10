import { readFile } from "node:fs/promises";
import { join } from "node:path";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { expect, test } from "vitest";
import { poll } from "../../../dev/lab/poll";
import { isAlive } from "../../../dev/lab/processes";
import { commandProvider } from "../../../dev/toolchain/plugins/command";
import { service } from "../../../dev/toolchain/plugins/protocol";
import { secret } from "../../../dev/toolchain/plugins/values";
import { session } from "../../unit/contract/session";
import { testFolder } from "../lab/folder";

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
  // As the engine hands over an output that the program calls a secret.
  const hidden = { ...state, stdout: secret("first") };
  expect((await job.update(id, hidden, { create: script })).stdout).toBe("before:first");
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

test("a cancelled update kills the shell, and waits for what it has started", async () => {
  const { dir, remove } = await testFolder();
  const { client, resource } = await session("command", commandProvider());
  const file = join(dir, "pids");
  let ended = false;
  const running = resource(local)
    .create({ create: `sleep 600 & echo $$ $! > ${file}; wait` })
    .catch(String)
    .finally(() => (ended = true));
  const [shell = 0, child = 0] = await poll(
    async () =>
      (await readFile(file, "utf8").catch(() => ""))
        .match(/^(\d+) (\d+)\n/)
        ?.slice(1)
        .map(Number),
    { what: "the script's child", limitMs: 60_000 },
  );
  await client.unary(service.cancel, new empty.Empty());
  await poll(() => !isAlive(shell), { what: "the end of the shell", limitMs: 60_000 });
  // It holds the script's output.
  expect([isAlive(child), ended]).toEqual([true, false]);
  process.kill(child, "SIGKILL");
  expect(await running).toContain("signal: killed");
  await remove();
});

test("an update finds of the output before what there was: a stream that printed nothing is not set", async () => {
  const job = await localCommand();
  const { id, state } = await job.create({ create: "true" });
  const script = "echo out:$" + "{PULUMI_COMMAND_STDOUT-unset} err:$" + "{PULUMI_COMMAND_STDERR-unset}";
  const after = await job.update(id, state, { create: script });
  expect(after.stdout).toBe("out:unset err:unset");
  expect((await job.update(id, after, { create: "exit 1", update: script })).stdout).toBe(
    "out:out:unset err:unset err:unset",
  );
  expect((await job.update(id, after, { create: "exit 1", update: "" })).stdout).toBe("");
});

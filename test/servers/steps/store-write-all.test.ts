import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { startFaultProxy } from "../../../dev/lab/fault-proxy";
import { useOpenBao } from "./store-support";

const bao = useOpenBao();
let paths = 0;

/** A pair at two paths of its own, which the store holds as the first of two credentials. */
async function newPair() {
  const [user, password] = [`pair-${++paths}/username`, `pair-${paths}/password`] as const;
  const values = [["trader_b", "first"] as const, ["trader_a", "second"] as const];
  const known = values.flatMap(([name, value]) => [
    { path: user, value: name, public: true },
    { path: password, value },
  ]);
  await bao().putSecret(`paper/${user}`, { value: "trader_b", generation: "1" });
  await bao().putSecret(`paper/${password}`, { value: "first", generation: "1" });
  const held = async () =>
    (await Promise.all([user, password].map((path) => bao().getSecret(`paper/${path}`)))).map((found) => ({
      value: found?.data.value,
      version: found?.version,
    }));
  const entries = known.slice(2);
  const input = { entries, pair: { generation: 2, slot: 0 }, known, whenForeign: "TWO WAYS ON", force: false };
  return { user, password, held, input };
}

/** Runs the program as the engine does: for an activation, with its last answer. */
async function run(
  { address = bao().address, last = "", ...input }: Record<string, unknown> & { address?: string; last?: string },
  activation = "2",
) {
  const store = { kind: "vault", address, mount: "secret", environment: "paper" };
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(projectRoot(), "dist/steps/store-write.mjs")],
    {
      input: JSON.stringify({ store, ...input }),
      env: { VAULT_TOKEN: bao().rootToken, ROTATION_ACTIVATION: activation, PULUMI_COMMAND_STDOUT: last },
      reject: false,
    },
  );
  return { exitCode, stderr, stdout, said: stdout === "" ? undefined : JSON.parse(stdout) };
}

describe("the step that writes all paths of a secret", () => {
  it("writes each in turn as halves of a pair, and nothing the second time", async () => {
    const { user, password, held, input } = await newPair();
    const first = await run(input);
    expect(first.said, first.stderr).toEqual({
      entries: [
        { path: user, version: "2" },
        { path: password, version: "2" },
      ],
      warnings: [],
      overrides: [],
      activation: "2",
    });
    expect((await bao().getSecret(`paper/${user}`))?.data).toEqual({ value: "trader_a", generation: "2" });
    expect((await run({ ...input, last: first.stdout })).said).toEqual(first.said);
    expect(await held()).toEqual([
      { value: "trader_a", version: 2 },
      { value: "second", version: 2 },
    ]);
  });

  it("writes no path after an external write to any of them", async () => {
    const { password, held, input } = await newPair();
    await bao().putSecret(`paper/${password}`, { value: "by hand" });
    const before = await held();
    const { exitCode, stderr } = await run(input);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`^external write to ${password}: version 2, written .*TWO WAYS ON$`));
    expect(await held()).toEqual(before);
  });

  it("overwrites it if a request says so, and says that for the row, again if only its input has changed", async () => {
    const { password, held, input } = await newPair();
    await bao().putSecret(`paper/${password}`, { value: "by hand" });
    const forced = await run({ ...input, force: true });
    const overrides = [expect.stringMatching(new RegExp(`^force: overwrites ${password}: version 2, written`))];
    expect(forced.said).toMatchObject({ overrides });
    expect((await held())[1]).toEqual({ value: "second", version: 3 });
    expect((await run({ ...input, last: forced.stdout })).said).toEqual(forced.said);
  });

  it("looks at a path that it does not write only once for each activation", async () => {
    const { held, input } = await newPair();
    const known = [...input.known, { path: `left-${paths}`, value: "ours" }];
    await bao().putSecret(`paper/left-${paths}`, { value: "of another" });
    const refused = await run({ ...input, known });
    expect(refused.stderr).toContain(`external write to left-${paths}`);
    expect((await held())[0]).toEqual({ value: "trader_b", version: 1 });
    expect((await run({ ...input, known, last: '{"activation":"2"}' })).exitCode).toBe(0);
  });

  it("says what it wrote if a later path fails, and finishes that the next time", async () => {
    const { user, password, held, input } = await newPair();
    const proxy = await startFaultProxy(bao().address);
    try {
      proxy.inject({
        when: ({ method, path }) => method !== "GET" && path.endsWith(password),
        fault: { status: 403, body: '{"errors":["permission denied"]}' },
      });
      const { exitCode, stderr } = await run({ ...input, address: proxy.url });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(new RegExp(`403.*\\. Written before that: ${user} version 2$`, "s"));
    } finally {
      await proxy.stop();
    }
    expect(await held()).toEqual([
      { value: "trader_a", version: 2 },
      { value: "first", version: 1 },
    ]);
    expect((await run(input)).exitCode).toBe(0);
    expect(await held()).toEqual([
      { value: "trader_a", version: 2 },
      { value: "second", version: 2 },
    ]);
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { suppliedPair } from "../../dev/lab/deploy";
import { ALPACA_KEY } from "../../dev/lab/lab";
import { advised } from "../advice/table";
import { shell } from "./advice";
import { auditRows, stateOf, stored, up, useBench } from "./harness";
import { watchProcesses } from "./leak-support";
import { onTerminal } from "./terminal";

const CLI = join(projectRoot(), "dist/cli/rotation.mjs");

/**
 * The command lines and environments of all processes while `work` goes on. Without the one variable in which Pulumi
 * itself hands the decrypted config to the program.
 */
async function processes<T>(work: Promise<T>): Promise<{ result: T; seen: string[] }> {
  const watch = watchProcesses();
  const result = await work.catch(async (error) => {
    await watch.stop();
    throw error;
  });
  const { commandLines, environments } = await watch.stop();
  return { result, seen: [commandLines, environments.replace(/^PULUMI_CONFIG=.*$/gm, "")] };
}

describe("rotation alpaca", () => {
  const bench = useBench({ rotates: "alpaca" });
  const paper = () => bench().lab.alpaca.paper;
  const alpaca = (args: string[], input = "") => {
    const { projectDir, env, name } = bench().stack;
    return execa(process.execPath, [CLI, "alpaca", ...args, "--stack", name], {
      cwd: projectDir,
      env,
      input,
      reject: false,
    });
  };
  const settings = () => readFile(join(bench().stack.projectDir, `Pulumi.${bench().stack.name}.yaml`), "utf8");
  beforeAll(async () => {
    await up(bench());
  });

  it("add-key refuses a pair that Alpaca refuses, and the config stays as it is", async () => {
    const before = await settings();
    const pair = suppliedPair("paper-trading-2026-11-23", { ...paper().createKey(), secretKey: "mistyped-on-the-way" });
    const swapped = { ...pair, ...suppliedPair(pair.label, paper().createKey()) };
    const { exitCode, stderr } = await alpaca(
      ["add-key"],
      JSON.stringify({ label: pair.label, keyId: swapped.secretKey, secretKey: swapped.keyId }),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain("are swapped: Alpaca answers 200 to them the other way round");
    expect(stderr).not.toContain(swapped.secretKey);
    expect(await settings()).toBe(before);
  });

  it("add-key proves a pair, keeps the one in use, and shows neither half to any process or log", async () => {
    const pair = suppliedPair("paper-trading-2026-11-23", paper().createKey());
    const { result, seen } = await processes(alpaca(["add-key", "--json"], JSON.stringify(pair)));
    expect(result.exitCode, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      secret: ALPACA_KEY,
      label: pair.label,
      account: paper().account().account_number,
    });
    const rollout = await processes(up(bench()));
    const printed = result.stdout + result.stderr + rollout.result.stdout + rollout.result.stderr;
    for (const text of [...seen, ...rollout.seen, printed, await settings()]) {
      expect(text.includes(pair.secretKey) || text.includes(pair.keyId)).toBe(false);
    }
    expect((await stored(bench(), "alpaca/api_key_id")).value).toBe(pair.keyId);
    expect(await stateOf(bench(), ALPACA_KEY)).toMatchObject({ slots: [0, 1], active: 1 });
    expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "ROTATE", generation: 1 });
  });

  it("add-key asks a person without showing what is typed", async () => {
    const pair = suppliedPair("paper-trading-2026-11-24", paper().createKey());
    const answers = [
      ["Label", pair.label],
      ["API Key ID", pair.keyId],
      ["Secret Key", pair.secretKey],
    ] as const;
    const { shown, exitCode } = await onTerminal(bench(), ["alpaca", "add-key"], answers);
    expect(exitCode, shown).toBe(0);
    expect(shown).toContain(`${pair.label} works`);
    expect(shown).not.toContain(pair.keyId);
    expect(shown).not.toContain(pair.secretKey);
    const { stdout: config } = await bench().stack.pulumi(["config", "get", "alpacaKeys"]);
    expect(JSON.parse(config)[ALPACA_KEY]).toMatchObject({
      current: pair,
      previous: { label: "paper-trading-2026-11-23" },
    });
  });

  it("forget-key keeps a pair whose end nobody has seen", async () => {
    await up(bench());
    const { exitCode, stderr } = await alpaca(["forget-key"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("must stay until an update has seen its end");
  });

  it("forget-key takes a pair that is gone out of the config", async () => {
    const { stdout } = await bench().stack.pulumi(["config", "get", "alpacaKeys"]);
    paper().deleteKey(JSON.parse(stdout)[ALPACA_KEY].previous.keyId);
    const seen = await up(bench());
    const forget = advised("rotation alpaca forget-key", `${seen.stdout}${(await up(bench())).stdout}`);
    const { exitCode, stderr } = await shell(bench(), forget);
    expect(exitCode, stderr).toBe(0);
    const { stdout: config } = await bench().stack.pulumi(["config", "get", "alpacaKeys"]);
    expect(JSON.parse(config)[ALPACA_KEY].previous).toBeUndefined();
  });
});

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findOnPath } from "../../../cli/toolchain/find";
import { projectRoot } from "../../../cli/toolchain/project";
import { testFolder } from "../toolchain/support";

const run = promisify(execFile);
const folder = path.join(projectRoot(), "deploy", "systemd");

/** The units in a folder of their own, with this machine's Node.js, so that systemd finds what they start. */
async function copied(change: (unit: string) => string = (unit) => unit): Promise<string[]> {
  const target = path.join(await testFolder(), "units");
  await mkdir(target);
  const names = (await readdir(folder)).filter((name) => /\.(service|timer)$/.test(name));
  for (const name of names) {
    const unit = (await readFile(path.join(folder, name), "utf8")).replaceAll("/usr/bin/node", process.execPath);
    await writeFile(path.join(target, name), change(unit));
  }
  return names.map((name) => path.join(target, name));
}

async function analyze(...args: string[]): Promise<{ code: number; output: string }> {
  const tool = await findOnPath("systemd-analyze", process.env);
  if (tool === undefined) {
    throw new Error("expected systemd-analyze on PATH, found none: on Debian and Ubuntu `apt-get install systemd`");
  }
  return run(tool, args, { env: { ...process.env, TZ: "UTC", LC_ALL: "C" } }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
  );
}

test("systemd finds nothing wrong with the units, and does find what is", async () => {
  const good = await analyze("verify", "--man=no", ...(await copied()));
  // It loads what the units want too, and may say something of this machine's own.
  const ours = good.output.split("\n").filter((line) => line.includes("secret-rotation"));
  expect({ code: good.code, ours }).toEqual({ code: 0, ours: [] });
  const broken = await copied((unit) => unit.replace("NoNewPrivileges=yes", "NoNewPrivilege=yes"));
  expect((await analyze("verify", "--man=no", ...broken)).output).toMatch(/Unknown key.*'NoNewPrivilege'/);
});

test("a service is as closed as systemd counts: an exposure of 2.0 at most of 10", async () => {
  const services = (await copied()).filter((file) => file.endsWith(".service"));
  expect(services).toHaveLength(3);
  for (const service of services) {
    const { code, output } = await analyze("security", "--offline=true", "--threshold=20", service);
    expect(code, output).toBe(0);
  }
});

test("a unit takes its secrets as credentials, and none from the environment", async () => {
  for (const file of (await copied()).filter((name) => name.endsWith(".service"))) {
    const unit = await readFile(file, "utf8");
    expect(unit.match(/^LoadCredential=/gm)).toHaveLength(3);
    expect(unit).not.toMatch(/^Environment=(VAULT_TOKEN|PGPASSWORD|PULUMI_CONFIG_PASSPHRASE|AWS_SECRET_ACCESS_KEY)=/m);
    expect(unit).toMatch(/^NoNewPrivileges=yes$[\s\S]*^ProtectSystem=strict$/m);
  }
});

test("the timers run a day before the limit can be reached, and reminders every hour", async () => {
  const calendar = async (name: string) =>
    /^OnCalendar=(.*)$/m.exec(await readFile(path.join(folder, name), "utf8"))?.[1] ?? "";
  const daily = await calendar("secret-rotation@.timer");
  const { output } = await analyze("calendar", "--base-time=2026-11-23 12:00:00 UTC", "--iterations=2", daily);
  expect(output).toMatch(/2026-11-23 23:00:00 UTC[\s\S]*2026-11-24 23:00:00 UTC/);
  expect(await calendar("secret-rotation-remind@.timer")).toBe("hourly");
});

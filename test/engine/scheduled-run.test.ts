import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { afterAll, describe, expect, it, vi } from "vitest";
import { verifyChain } from "../../audit/verify";
import { projectRoot } from "../../cli/toolchain/project";
import { labConfig } from "../../dev/lab/deploy";
import { advised } from "../advice/table";
import { PackUnderTest, type Seen } from "../servers/policy/analyzer";
import { shell } from "./advice";
import { auditRows, type Bench, login, setDay, setRequest, stored, UNCHANGED, up, useBench } from "./harness";
import { labSecrets, leaksIn } from "./leak-support";

/** Secrets that the unit hands over as files, so that no environment has them. */
const SECRETS = ["PGPASSWORD", "VAULT_TOKEN", "PULUMI_CONFIG_PASSPHRASE"];

/** Runs what deploy/systemd/secret-rotation@.service runs, in its environment, as systemd would for the stack. */
async function scheduledRun({ lab, stack }: Bench) {
  const unit = await readFile(path.join(projectRoot(), "deploy/systemd/secret-rotation@.service"), "utf8");
  const all = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
  // Outside of the lab's folder: systemd keeps them apart too, and what lies in the lab is searched for credentials.
  const credentials = await mkdtemp(path.join(tmpdir(), "secret-rotation-credentials-"));
  const { host, port } = lab.postgres;
  const contents: Record<string, string | undefined> = {
    passphrase: stack.env.PULUMI_CONFIG_PASSPHRASE,
    pgpass: `${host}:${port}:*:${stack.env.PGUSER}:${stack.env.PGPASSWORD}\n`,
    ".vault-token": stack.env.VAULT_TOKEN,
  };
  for (const credential of all("LoadCredential").map((line) => line.split(":")[0] ?? "")) {
    await writeFile(path.join(credentials, credential), contents[credential] ?? "", { mode: 0o400 });
  }
  const filled = (text: string) =>
    text.replaceAll("%i", stack.name).replaceAll("%d", credentials).replaceAll("%S", path.join(lab.dir, "unit-state"));
  const [program = "", ...args] = filled(all("ExecStart")[0] ?? "").split(" ");
  expect(program).toBe("/usr/bin/node");
  const given = Object.entries(stack.env).filter(([name]) => !SECRETS.includes(name) && name !== "PULUMI_HOME");
  const own = all("Environment").map((line) => filled(line).split("=") as [string, string]);
  const env = Object.fromEntries([...given, ...own]);
  try {
    return await execa(process.execPath, args, {
      cwd: stack.projectDir,
      env,
      extendEnv: false,
      stdin: "ignore",
      reject: false,
      all: true,
    });
  } finally {
    await rm(credentials, { recursive: true });
  }
}

interface Exported {
  readonly deployment: {
    readonly resources: readonly {
      readonly type: string;
      readonly urn: string;
      readonly parent?: string;
      readonly inputs?: Record<string, unknown>;
      readonly outputs?: Record<string, unknown>;
    }[];
  };
}

/** A stack's resources as the engine shows them to a policy pack: with their secrets in plain text. */
async function resourcesOf({ stack }: Bench): Promise<Seen[]> {
  const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
  const { deployment } = JSON.parse(stdout) as Exported;
  return deployment.resources.map(({ type, urn, parent = "", inputs = {}, outputs = {} }) => ({
    type,
    urn,
    parent,
    properties: plain({ ...inputs, ...outputs }) as Record<string, unknown>,
  }));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if ("4dabf18193072939515e22adb298388d" in value && "plaintext" in value) {
    return plain(JSON.parse(String(value.plaintext)));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

describe("a stack that programs run", () => {
  const bench = useBench();
  afterAll(() => void vi.unstubAllEnvs());

  it("the Automation API rotates as the CLI does, and tells no credential in its events", async () => {
    const { stack: deployed } = bench();
    // Where the API looks for the CLI.
    vi.stubEnv("PATH", deployed.env.PATH);
    const workspace = { workDir: deployed.projectDir, envVars: { ...deployed.env } };
    const stack = await LocalWorkspace.selectStack(
      { stackName: deployed.name, workDir: deployed.projectDir },
      workspace,
    );
    await stack.up();
    await setDay(bench(), 89);
    const events: string[] = [];
    const preview = await stack.preview({ onEvent: (event) => events.push(JSON.stringify(event)) });
    expect(preview.changeSummary).toMatchObject({ replace: 1, update: 12 });
    const { summary, outputs } = await stack.up({ onEvent: (event) => events.push(JSON.stringify(event)) });
    expect(summary.result).toBe("succeeded");
    expect(outputs.secrets).toMatchObject({
      secret: false,
      value: {
        "database/password": { generation: 2, strategy: "alternating-users", state: { slots: [2, 1], active: 0 } },
      },
    });
    const { value } = await stored(bench(), "database/password");
    expect(await login(bench(), "trader_a", value)).toBe("ok");
    expect(events.length).toBeGreaterThan(50);
    expect(leaksIn(events.join("\n"), { ...labSecrets(bench()), "the new password": value })).toEqual([]);
    expect((await stack.up()).summary.resourceChanges).toEqual({ read: 1, same: expect.any(Number) });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
    ]);
  });

  it("what a scheduler runs rotates what is due with secrets from files alone, does nothing otherwise, and leaves a stack that the policy pack passes", async () => {
    await setDay(bench(), 178);
    const due = await scheduledRun(bench());
    expect(due.exitCode, due.all).toBe(0);
    const rows = await auditRows(bench());
    expect(rows.slice(2).map(({ secret_name, action, status }) => `${secret_name} ${action} ${status}`)).toEqual([
      "database/password ROTATE SUCCESS",
    ]);

    const again = await scheduledRun(bench());
    expect(again.exitCode, again.all).toBe(0);
    expect(again.stdout).toBe("Nothing is due.");
    expect(await auditRows(bench())).toHaveLength(rows.length);

    const resources = await resourcesOf(bench());
    const restarts = resources.filter(({ properties }) => properties.create === "node dist/steps/restart-service.mjs");
    expect(restarts.length).toBeGreaterThan(1);
    const pack = await PackUnderTest.start(labConfig({ lab: bench().lab }));
    expect(await pack.violations(resources)).toEqual([]);
  });

  it("waits for the window and for the end of a pause, rotates in the window, and waits for neither in an emergency", async () => {
    const { stack } = bench();
    const [secret] = labConfig({ lab: bench().lab }).secrets as Record<string, unknown>[];
    await stack.configure("policy", { lead: "8d", gracePeriod: "24h" });
    await stack.configure("window", { days: ["SAT"], from: "02:00", to: "05:00", timezone: "America/New_York" });
    const rotations = async () => (await auditRows(bench())).filter(({ action }) => action === "ROTATE").length;
    const before = await rotations();

    // Wednesday, 2027-08-11: the grace period ends at any time, the rotation waits for Saturday.
    await setDay(bench(), 261);
    await up(bench());
    expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "REVOKE", status: "SUCCESS" });
    const waiting = await scheduledRun(bench());
    expect(waiting.stdout, waiting.all).toBe(
      "Nothing is due.\ndatabase/password waits for the window SAT 02:00-05:00 America/New_York (opens 2027-08-14 02:00 EDT)",
    );
    const outside = await up(bench());
    expect(outside.stdout + outside.stderr).toContain("stays at generation 3 (waits for the window");
    expect(await rotations()).toBe(before);

    await setDay(bench(), 264.2);
    await stack.configure("secrets", [{ ...secret, paused: { until: "2027-11-01", reason: "earnings" } }]);
    const paused = await scheduledRun(bench());
    expect(paused.stdout, paused.all).toContain("waits for the end of its pause until 2027-11-01 00:00 EDT (earnings)");
    await stack.configureSecret("notify", JSON.stringify({ slackWebhook: bench().lab.slack.url }));
    expect((await shell(bench(), "rotation remind")).stdout).toContain("sent slack: no-window for database/password");
    const reminders = bench()
      .lab.slack.messages()
      .map(({ body }) => JSON.stringify(body));
    const told = reminders.find((text) => text.includes("NO WINDOW LEFT")) ?? "";
    const status = await shell(bench(), advised("rotation status", told));
    expect(status.stdout.replaceAll(/\s+/g, " ")).toContain("ALARM: no window is left before its maximum age");
    // The team was notified only now, and this stack wants no day of notice.
    await stack.configure("preflight", { notice: "0s" });
    await stack.configure("secrets", [secret]);
    const due = await scheduledRun(bench());
    expect(due.exitCode, due.all).toBe(0);
    expect(await rotations()).toBe(before + 1);

    await stack.configure("secrets", [{ ...secret, paused: { until: "2027-11-01", reason: "earnings" } }]);
    await setRequest(bench(), { id: "leak", rotate: true, emergency: true });
    const emergency = await up(bench());
    expect(emergency.stdout + emergency.stderr).toContain("does not wait, though paused until 2027-11-01 00:00 EDT");
    expect(await rotations()).toBe(before + 2);
    expect(JSON.stringify((await auditRows(bench())).at(-1))).toContain("window: did not wait, though paused until");
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("its audit rows cannot be changed unseen", async () => {
    expect(await verified(bench())).toMatchObject({ valid: true, problems: [] });
    const change = "UPDATE secret_rotation_log SET rotated_by = 'nobody' WHERE id = 2";
    await expect(bench().lab.postgres.query(change)).rejects.toThrow(/append-only/);
    await bench().lab.postgres.query(`SET session_replication_role = replica; ${change}`);
    const { valid, problems } = await verified(bench());
    expect(valid).toBe(false);
    expect(problems).toMatchObject([{ id: 2, kind: "changed" }]);
  });
});

const verified = ({ lab }: Bench) => lab.postgres.session((client) => verifyChain(client));

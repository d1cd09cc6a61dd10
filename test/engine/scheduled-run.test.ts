import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { labConfig } from "../../dev/lab/deploy";
import { PackUnderTest, type Seen } from "../servers/policy/analyzer";
import { auditRows, type Bench, setDay, up, useBench } from "./harness";

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

describe("what a scheduler runs", () => {
  const bench = useBench();

  it("rotates what is due with secrets from files alone, does nothing otherwise, and leaves a stack that the policy pack passes", async () => {
    await up(bench());
    await setDay(bench(), 89);

    const due = await scheduledRun(bench());
    expect(due.exitCode, due.all).toBe(0);
    const rows = await auditRows(bench());
    expect(rows.map(({ secret_name, action, status }) => `${secret_name} ${action} ${status}`)).toContain(
      "database/password ROTATE SUCCESS",
    );

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
});

import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PHASE } from "../../core/phases";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { overSsh } from "../servers/lab/ssh";
import { shellEnvironment } from "./advice";
import { editSettings, fine, rotation, setClock } from "./cli-support";
import { auditRows, login, refusedUp, stateFile, stateOf, stored, useBench } from "./harness";
import { secretOf, withSettings } from "./input-support";
import { changePassword } from "./role-support";

const SECRET = "database/password";

describe("commands in messages, given to a shell as they are printed", () => {
  const bench = useBench();
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "advice-"));
    await fine(bench(), ["run", "--yes"]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** In the project's folder, with what is typed. */
  async function run(line: string, input = "", env: Record<string, string> = {}): Promise<string> {
    const { code, said } = await inShell(line, {
      ...{ cwd: bench().stack.projectDir, input, env: { ...(await shellEnvironment(bench())), ...env } },
    });
    expect(code, `${line}: ${said}`).toBe(0);
    return said;
  }
  const says = async (...args: string[]) => {
    const { stdout, stderr } = await rotation(bench(), args);
    return `${stdout}\n${stderr}`;
  };

  it("a config that lacks a secret key: each command sets it", async () => {
    await writeFile(join(folder, "key"), bench().lab.config.sshPrivateKey);
    const settings = (change: (settings: Record<string, unknown>) => void, act: () => Promise<void>) =>
      withSettings(bench(), change, act);
    await settings(
      (all) => delete all.sshPrivateKey,
      async () => {
        const wrong = await says("remind");
        await run(advised("pulumi config set sshPrivateKey", wrong).replace("KEYFILE", join(folder, "key")));
        expect(await says("remind")).not.toContain("sshPrivateKey");
      },
    );
    await settings(
      (all) => (all.secrets as unknown[]).push({ kind: "alpaca-key", restart: ["orchestrator"] }),
      async () => {
        const command = advised("pulumi config set alpacaKeys", await says("remind"));
        for (const key of ["keyId", "secretKey", "label"])
          await run(command.replace("keyId", key), key === "label" ? "paper-trading-2026-11-20" : `value-of-${key}`);
        expect(await says("remind")).not.toContain("wrong in the config");
      },
    );
    await settings(
      (all) => {
        const verify = { request: "GET https://127.0.0.1/", headers: { "x-key": "{key}" } };
        (all.secrets as unknown[]).push({ kind: "api-key", name: "data/api-key", verify, restart: ["orchestrator"] });
      },
      async () => {
        const command = advised("pulumi config set apiKeys", await says("remind"));
        await run(command, "value-of-the-key");
        await run(command.replace("values.key", "label"), "market-data-2026-11-20");
        expect(await says("remind")).not.toContain("wrong in the config");
      },
    );
    await settings(
      (all) => {
        const { database, role, restart } = secretOf(all);
        const vault = { username: "vault_admin" };
        all.secrets = [
          { kind: "postgres-password", strategy: "vault-static", name: SECRET, database, role, restart, vault },
        ];
        all.adopted = undefined;
      },
      async () => {
        const before = await says("remind");
        await run(advised("pulumi config set connectionPasswords", before), "of-vault-s-own-login");
        expect(before).toContain("connectionPasswords");
        expect(await says("remind")).not.toContain("connectionPasswords");
      },
    );
    await settings(
      (all) => {
        all.policy = { maxAge: "ninety days" };
      },
      async () => {
        await run(`${advised("pulumi config set --path", await says("remind"))} policy.maxAge 90d`);
        expect(await says("remind")).not.toContain("wrong in the config");
      },
    );
  });

  it("no channel for reminders: the command sets one, and each reminder's command works", async () => {
    const { slack } = bench().lab;
    const last = () => JSON.stringify(slack.messages().at(-1));
    await run(advised("pulumi config set notify", await says("remind")), slack.url);
    await setClock(bench(), 2);
    const old = { user: "trader", password: String(bench().lab.adopted[SECRET]) };
    await bench().lab.postgres.session(async () => {
      expect(await says("remind")).toContain("sent slack: in-use");
    }, old);
    const checks = advised("rotation validate", last());
    const over = await says(...checks.split(" ").slice(1), "--json");
    expect(over).toContain("its grace period ended");
    await run(`${advised("rotation run", over)} --yes`);
    expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "REVOKE", generation: 0 });
    expect(await run(checks)).toContain(`${SECRET}: valid`);
    await fine(bench(), ["log", "--secret-name", SECRET, "--status", "FAILED", "--reason", "of the test"]);
    expect(await says("remind")).toContain("sent slack: failed");
    expect(await run(advised("rotation diagnose", last()))).toContain("No problem found");
  });

  it("the team was not notified: reminders do that, and an emergency does not wait", async () => {
    await editSettings(bench(), { preflight: { notice: "24h" } });
    await setClock(bench(), 89);
    const refused = await says("run", "--yes");
    await run(advised("rotation remind", refused));
    const done = await run(`${advised("rotation rotate-now", refused)} --yes`);
    // The last phase too has its time.
    for (const phase of Object.values(PHASE).filter(({ touches }) => touches === "services" || touches === "log"))
      if (done.includes(`\n${SECRET}: ${phase.words}`)) expect(done).toContain(`done    ${SECRET}: ${phase.words} (`);
    expect(done).toContain(`done    ${SECRET}: ${PHASE.audit.words} (`);
    await editSettings(bench(), { preflight: undefined });
    expect((await auditRows(bench())).at(-1)).toMatchObject({ status: "SUCCESS", generation: 2, reason: "WHY" });
  });

  it("no stack is selected, or there is none of that name", async () => {
    const env = { PULUMI_HOME: join(folder, "home") };
    const { stdout, stderr } = await rotation(bench(), ["remind"], { env });
    expect(stdout + stderr).not.toContain("no stack is selected");
    const unselected = await inShell("rotation remind", {
      ...{ cwd: bench().stack.projectDir, env: { ...(await shellEnvironment(bench())), ...env } },
    });
    expect(unselected.code).toBe(2);
    await run(`${advised("pulumi stack select", unselected.said)} ${bench().stack.name}`, "", env);
    expect(await run("rotation remind", "", env)).toContain("Nothing new to send.");
    const file = join(bench().stack.projectDir, "Pulumi.other.yaml");
    await writeFile(file, await readFile(file.replace("other", bench().stack.name)));
    const { said: missing } = await inShell("rotation report --stack other", {
      ...{ cwd: bench().stack.projectDir, env: { ...(await shellEnvironment(bench())), ...env } },
    });
    expect(await run(advised("pulumi stack ls", missing))).toContain(bench().stack.name);
    await run(advised("pulumi stack init", missing), "", env);
    expect(await run(advised("pulumi stack ls", missing))).toContain("other");
    await rm(file);
  });

  it("a service that is not healthy: its restart, on its host", async () => {
    const [host] = bench().lab.hosts;
    if (host === undefined) throw new Error("the lab has no host");
    await host.setFault("signal-service", { kind: "never-healthy" });
    await overSsh(host, "systemctl restart signal-service");
    const command = advised("systemctl restart", await says("diagnose"));
    await host.setFault("signal-service", undefined);
    expect(await overSsh(host, command)).toMatchObject({ code: 0 });
    await bench().lab.healthy();
    expect(await fine(bench(), ["diagnose"])).toContain("No problem found");
  });

  it("a database that cannot be asked: the preflight says why", async () => {
    await withSettings(
      bench(),
      (all) => {
        secretOf(all).database = { ...(secretOf(all).database as object), port: 1 };
      },
      async () => {
        const command = advised("rotation preflight", await says("diagnose"));
        const { code, said } = await inShell(command, {
          ...{ cwd: bench().stack.projectDir, env: await shellEnvironment(bench()) },
        });
        expect([code, said]).toEqual([1, expect.stringContaining("ECONNREFUSED")]);
      },
    );
  });

  it("changed by hand in both: adopted, then made the active generation", async () => {
    await changePassword(bench(), "trader_a", "changed-by-hand-1");
    await bench().lab.store.put(SECRET, "changed-by-hand-1");
    const adopted = await run(advised("rotation adopt", await says("diagnose")));
    await run(`${advised("rotation run", adopted)} --yes`);
    expect(await stateOf(bench())).toMatchObject({ step: { action: "ADOPT", generation: 3 } });
    expect(await login(bench(), "trader_a", "changed-by-hand-1")).toBe("ok");
  });

  it("a value that does not log in: `run --force` overwrites it", async () => {
    await bench().lab.store.put(SECRET, "does-not-log-in");
    await run(`${advised("rotation run --force", await says("adopt", SECRET))} --yes`);
    expect((await stored(bench(), SECRET)).value).not.toBe("does-not-log-in");
    expect(await stateOf(bench())).toMatchObject({ step: { action: "ROTATE", generation: 4 } });
  });

  it("an external write before `pulumi up`: both ways that its message names", async () => {
    const { user } = await inUse();
    await changePassword(bench(), user, "changed-by-hand-2");
    await bench().lab.store.put(SECRET, "changed-by-hand-2");
    await run(`pulumi config set request '{"id":"asked","secret":"${SECRET}","rotate":true,"reason":"a test"}'`);
    const refused = await refusedUp(bench());
    await run(advised("pulumi config set adopted", refused), "changed-by-hand-2");
    await run(advised("pulumi config set request", refused));
    await run(`${advised("pulumi up", refused)} --yes --skip-preview`);
    expect(await stateOf(bench())).toMatchObject({
      step: { action: "ADOPT", generation: 5 },
      handledRequest: "NEW-ID",
    });
    expect(await login(bench(), user, "changed-by-hand-2")).toBe("ok");

    await bench().lab.store.put(SECRET, "of-somebody-else");
    const [, , overwrite = ""] = spans(await refusedUpOnRequest("again"), "pulumi config set");
    await run(overwrite.replace("NEW-ID", "OVERWRITE"));
    await run("pulumi up --yes --skip-preview");
    expect(await stateOf(bench())).toMatchObject({ step: { action: "ROTATE", generation: 6 } });
    await run("pulumi config rm request");
  });

  it("a file beside the state, and the state itself, half written", async () => {
    await truncate(`${stateFile(bench())}.attrs`);
    await run(advised("rm a torn file", await says("diagnose")));
    await fine(bench(), ["plan"]);
    const whole = await readFile(stateFile(bench()));
    const copy = await readFile(`${stateFile(bench())}.bak`);
    await truncate(stateFile(bench()), 1024);
    await run(advised("cp a copy of the state", await says("diagnose")));
    expect(await readFile(stateFile(bench()))).toEqual(copy);
    await truncate(stateFile(bench()), 1024);
    await truncate(`${stateFile(bench())}.bak`, 10);
    expect(await run(advised("ls of finished states", await says("diagnose")))).toContain("paper");
    await writeFile(stateFile(bench()), whole);
    await writeFile(`${stateFile(bench())}.bak`, copy);
    await fine(bench(), ["plan"]);
  });

  const inUse = async () => ({ user: (await stored(bench(), "database/username")).value });
  const spans = (text: string, begin: string) =>
    [...text.replaceAll(/\s+/g, " ").matchAll(/`([^`]+)`/g)].flatMap(([, span = ""]) =>
      span.startsWith(begin) ? [span] : [],
    );
  const refusedUpOnRequest = async (id: string) => {
    await run(`pulumi config set request '{"id":"${id}","secret":"${SECRET}","rotate":true,"reason":"a test"}'`);
    return refusedUp(bench());
  };
});

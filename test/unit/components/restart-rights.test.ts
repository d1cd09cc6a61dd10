import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shellHere } from "../../../clients/shell";
import { restartRights } from "../../../components/restart-rights";
import { parseDuration } from "../../../core/duration";

/** A host's commands: the usual ones, and those of a test. What is called is noted. */
let bin: string;
const USUAL = ["sh", "cat", "grep", "sed", "tail", "head", "printf", "timeout", "dirname"];

beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), "restart-rights-"));
  for (const name of USUAL) await symlink(`/usr/bin/${name}`, join(bin, name)).catch(() => undefined);
  await install("id", 'case "$1" in -un) echo deploy ;; -u) echo 1001 ;; esac');
});
afterEach(() => rm(bin, { recursive: true }));

async function install(name: string, script: string): Promise<void> {
  const file = join(bin, name);
  await writeFile(file, `#!/bin/sh\necho "\${0##*/} $*" >> '${bin}/called'\n${script}\n`);
  await chmod(file, 0o755);
}

const run = (script: string) => shellHere({ PATH: bin })(script, 30_000);
async function ask(restart?: string) {
  const script = restartRights("orchestrator", restart === undefined ? {} : { restart });
  if (script === undefined) throw new Error("nothing is asked");
  const { status, output } = await run(script);
  const called = (await run(`cat '${bin}/called'`)).output;
  // Whatever is asked, nothing is restarted.
  expect(called.split("\n").filter((line) => /^systemctl .*restart|^sudo (?!-n -[lv])/.test(line))).toEqual([]);
  return { status, said: output.trim() };
}

const SYSTEMCTL =
  'case "$*" in *LoadState*) echo LoadState=loaded ;; *show*) echo RefuseManualStart=no ;; *) exit 1 ;; esac';

describe("the right to restart a unit", () => {
  it("is root's if polkit does not answer", async () => {
    await install("systemctl", SYSTEMCTL);
    await install("id", "echo 0");
    await install("pkcheck", "exit 127");
    expect(await ask()).toEqual({ status: 0, said: "" });
  });

  it("is asked of polkit, with the unit and the verb", async () => {
    await install("systemctl", SYSTEMCTL);
    await install(
      "pkcheck",
      'case "$*" in *"--detail unit orchestrator.service --detail verb restart"*) exit 0 ;; esac; exit 1',
    );
    expect(await ask()).toEqual({ status: 0, said: "" });
    expect(await ask("systemctl restart orchestrator.service")).toEqual({ status: 0, said: "" });
    expect(await ask("systemctl restart other")).toMatchObject({ status: 1 });
  });

  it("is refused in polkit's words, with the unit, the user and where to read on", async () => {
    await install("systemctl", SYSTEMCTL);
    await install("pkcheck", "echo 'Authorization requires authentication and -u was not passed.'; exit 2");
    const { status, said } = await ask();
    expect(status).toBe(1);
    expect(said).toContain(
      "deploy may not restart orchestrator.service: polkit says no (Authorization requires authentication",
    );
    expect(said).toContain("docs/restarts.md");
  });

  it("is asked of systemd itself if polkit tells details to root alone", async () => {
    const trusted =
      "echo 'Only trusted callers (e.g. uid 0 or an action owner) can use CheckAuthorization() and pass details'";
    await install("systemctl", SYSTEMCTL);
    await install("pkcheck", `case "$*" in *--detail*) ${trusted}; exit 127 ;; esac; exit 1`);
    expect((await ask()).status).toBe(0);
    await install("pkcheck", `case "$*" in *--detail*) ${trusted}; exit 127 ;; esac; exit 0`);
    expect(await ask()).toEqual({ status: 0, said: "" });
  });

  it.each([
    ["Call failed: Isolate is only valid for start.", 0],
    ["Call failed: Interactive authentication required.", 1],
    ["Call failed: Access denied", 1],
    ["Failed to connect to bus: No such file or directory", 0],
  ])("is asked by a restart that systemd refuses to everybody: %s", async (answer, status) => {
    await install("systemctl", SYSTEMCTL);
    await install("busctl", `echo '${answer}' >&2; exit 1`);
    const script = (restartRights("orchestrator", {}) ?? "").replace("/run/systemd/system", bin);
    expect((await run(script)).status).toBe(status);
    expect((await run(`cat '${bin}/called'`)).output).toContain("RestartUnit ss orchestrator.service isolate");
  });

  it("passes if it cannot be asked, which is said", async () => {
    await install("systemctl", "echo 'Unknown command verb show.' >&2; exit 1");
    expect(await ask()).toEqual({ status: 0, said: "whether it may restart orchestrator.service could not be asked" });
  });

  it("is not asked of systemd if the unit is the account's own", async () => {
    await install("systemctl", SYSTEMCTL);
    await install("pkcheck", "exit 1");
    expect(await ask("systemctl --user restart orchestrator")).toEqual({ status: 0, said: "" });
  });

  it.each(["not-found", "masked"])("helps nobody where the unit is %s", async (state) => {
    await install("systemctl", `echo LoadState=${state}`);
    expect(await ask()).toEqual({
      status: 1,
      said: `the unit orchestrator.service cannot be restarted: systemctl says it is ${state}`,
    });
  });

  it("needs systemctl", async () => {
    expect(await ask()).toEqual({ status: 1, said: "there is no systemctl" });
  });
});

describe("the right to reload a unit", () => {
  const askReload = async (reload: Parameters<typeof restartRights>[1]["reload"], more: object = {}) => {
    const script = restartRights("orchestrator", { reload, ...more });
    return script === undefined ? undefined : run(script);
  };

  it("is asked of polkit with its own verb, and of systemd by its own method", async () => {
    await install("systemctl", SYSTEMCTL);
    await install("pkcheck", 'case "$*" in *"--detail verb reload"*) exit 0 ;; esac; exit 1');
    expect((await askReload("systemctl reload orchestrator"))?.status).toBe(0);
    expect((await askReload({ signal: "SIGHUP" }))?.output).toContain("deploy may not signal orchestrator.service");
    await rm(join(bin, "pkcheck"));
    await install("busctl", "echo 'Call failed: Access denied' >&2; exit 1");
    const script = (restartRights("orchestrator", { reload: "systemctl reload orchestrator" }) ?? "").replace(
      "/run/systemd/system",
      bin,
    );
    expect((await run(script)).output).toContain("deploy may not reload orchestrator.service");
    expect((await run(`cat '${bin}/called'`)).output).toContain("ReloadUnit ss orchestrator.service isolate");
  });

  it("helps nobody if the unit cannot be reloaded", async () => {
    await install(
      "systemctl",
      'case "$*" in *LoadState*) echo LoadState=loaded ;; *CanReload*) echo CanReload=no ;; esac',
    );
    expect(await askReload("systemctl reload orchestrator")).toMatchObject({
      status: 1,
      output: "the unit orchestrator.service has no ExecReload: set reload: { signal: SIGHUP }, or restart it\n",
    });
  });

  it("is not known of a request, and a container needs the one that compose has", async () => {
    const http = { method: "POST" as const, url: "http://localhost/reload", from: "host" as const };
    expect((await askReload({ http }))?.output).toBe("whether it takes the request could not be asked\n");
    expect(await askReload({ signal: "SIGHUP" }, { compose: {} })).toBeUndefined();
  });

  it("to wait for a sync is asked of kubectl, and an object that never takes a new value is found", async () => {
    const kubernetes = {
      sync: { externalSecret: "trader", keys: { "database/password": "p" }, timeout: parseDuration("2m") },
    };
    const script = restartRights("web", { kubernetes }) ?? "";
    await install("kubectl", 'case "$*" in *"get secrets/trader"*) echo no; exit 1 ;; *can-i*) echo yes ;; esac');
    expect(await run(script)).toMatchObject({
      status: 1,
      output: expect.stringContaining("may not get secrets/trader"),
    });
    for (const [spec, said] of [
      ["CreatedOnce/", "the ExternalSecret trader has refreshPolicy CreatedOnce: it never takes a new value\n"],
      ["/7", "the ExternalSecret trader has a fixed version: it never takes a new value\n"],
    ]) {
      await install("kubectl", `case "$*" in *can-i*) echo yes ;; *refreshPolicy*) printf ${spec} ;; esac`);
      expect(await run(script)).toMatchObject({ status: 1, output: said });
    }
    for (const spec of ["Periodic/", "/", "/0", ""]) {
      await install("kubectl", `case "$*" in *can-i*) echo yes ;; *refreshPolicy*) printf '%s' '${spec}' ;; esac`);
      expect(await run(script)).toMatchObject({ status: 0, output: "" });
    }
  });
});

describe("the right to roll out", () => {
  const script = restartRights("web", { kubernetes: { namespace: "trading" } }) ?? "";
  const kubectl = (answers: string) => install("kubectl", `case "$*" in ${answers} *can-i*) echo yes ;; esac`);

  it.each(["patch", "list", "watch"])("is also the right to %s the workload, by its name", async (verb) => {
    await kubectl(`*"can-i ${verb} deployment/web"*) echo no; exit 1 ;;`);
    expect(await run(script)).toMatchObject({
      status: 1,
      output: `kubectl says that this account may not ${verb} deployment/web, which a rollout does (\`kubectl --namespace trading auth can-i ${verb} deployment/web\`: no)\n`,
    });
  });

  it("is missing too if the server gives a reason", async () => {
    await kubectl(
      `*"can-i patch"*) echo 'no - requires one of ["container.deployments.update"] permission(s).'; exit 1 ;;`,
    );
    expect(await run(script)).toMatchObject({
      status: 1,
      output: expect.stringContaining("container.deployments.update"),
    });
  });

  it.each([
    ["true ", "deployment/web is paused"],
    [" OnDelete", "deployment/web has the update strategy OnDelete"],
  ])("helps nobody where the pods stay: %s", async (spec, said) => {
    await kubectl(`*jsonpath*) printf '${spec}' ;;`);
    expect(await run(script)).toMatchObject({ status: 1, output: expect.stringContaining(said) });
    await kubectl("*jsonpath*) printf ' RollingUpdate' ;;");
    expect(await run(script)).toMatchObject({ status: 0, output: "" });
  });

  it("of a Secret is asked by the Secret's own name", async () => {
    const sync = { externalSecret: "trader", keys: { "database/password": "p" }, timeout: parseDuration("2m") };
    const asked = async (target: string) => {
      await kubectl(`*target*) printf '${target}' ;; *"get secrets/"*) echo no ;;`);
      return (await run(restartRights("web", { kubernetes: { sync } }) ?? "")).output;
    };
    expect(await asked("trader-db")).toContain("may not get secrets/trader-db, which compares the value");
    expect(await asked("")).toContain("may not get secrets/trader, which compares the value");
  });
});

describe("the right to restart by sudo", () => {
  const RESTART = "sudo -n systemctl restart orchestrator";
  const ALLOWED = "/usr/bin/systemctl restart orchestrator";

  it.each([
    ["for this command without a password", `(root) NOPASSWD: ${ALLOWED}`],
    ["for everything", "(ALL) NOPASSWD: ALL"],
  ])("is there %s", async (_, rule) => {
    await install(
      "sudo",
      `case "$*" in "-n -l -- systemctl restart orchestrator") echo '${ALLOWED}' ;; "-n -l") echo '  ${rule}' ;; *) exit 1 ;; esac`,
    );
    expect(await ask(RESTART)).toEqual({ status: 0, said: "" });
    expect(await ask("sudo systemctl restart orchestrator")).toEqual({ status: 0, said: "" });
  });

  it("is said not to be known if another rule may ask for a password", async () => {
    await install(
      "sudo",
      `case "$*" in "-n -l -- "*) echo '${ALLOWED}' ;; "-n -l") echo '  (root) NOPASSWD: /bin/other' ;; *) exit 1 ;; esac`,
    );
    expect(await ask(RESTART)).toEqual({ status: 0, said: "whether sudo asks for a password could not be asked" });
  });

  it("is refused in sudo's words, with the line for sudoers", async () => {
    await install("systemctl", "exit 1");
    await install("sudo", "echo 'sudo: a password is required' >&2; exit 1");
    const { status, said } = await ask(RESTART);
    expect(status).toBe(1);
    expect(said).toContain("deploy may not run systemctl restart orchestrator by sudo: sudo: a password is required");
    expect(said).toContain(`deploy ALL=(root) NOPASSWD: ${bin}/systemctl restart orchestrator`);
  });

  it("helps nobody if there is no such unit", async () => {
    await install("systemctl", "echo LoadState=not-found");
    await install("sudo", "exit 0");
    expect((await ask(RESTART)).said).toContain("the unit orchestrator.service cannot be restarted");
  });

  it("keeps sudo's own options", async () => {
    await install("sudo", 'case "$*" in "-n -l -u app -- svc restart x"|"-n -v") exit 0 ;; esac; exit 1');
    expect(await ask("sudo -n -u app svc restart x")).toEqual({ status: 0, said: "" });
  });

  it("is refused if there is no sudo", async () => {
    expect((await ask(RESTART)).status).toBe(1);
  });
});

describe("any other restart", () => {
  it("needs its command, as far as that can be seen without a shell", async () => {
    expect(await ask("supervisorctl restart x")).toEqual({ status: 1, said: "there is no command supervisorctl" });
    await install("supervisorctl", "exit 1");
    expect(await ask("supervisorctl restart x")).toEqual({ status: 0, said: "" });
    for (const restart of ["a && b", "A=1 b", "$(x)", "x | y", "true; x"]) {
      expect(restartRights("x", { restart })).toBeUndefined();
    }
    expect(restartRights("x", { compose: {} })).toBeUndefined();
  });

  it("by kubectl needs the right to patch the workload if kubectl says so", async () => {
    const script = restartRights("web", { kubernetes: { namespace: "trading" } }) ?? "";
    await install("kubectl", "echo no; exit 1");
    const refused = await run(script);
    expect(refused.status).toBe(1);
    expect(refused.output).toContain("may not patch deployment/web");
    await install("kubectl", 'echo "Warning: x" >&2; echo yes');
    expect(await run(script)).toMatchObject({ status: 0, output: "" });
    await install("kubectl", "echo 'error: unknown command' >&2; exit 1");
    expect(await run(script)).toMatchObject({ status: 0, output: "" });
  });
});

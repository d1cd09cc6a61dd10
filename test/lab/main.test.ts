import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { Access } from "../../lab/access";
import { poll } from "../../lab/poll";
import { type LabProcess, startLabProcess } from "./lab-process";

/** 3 says that something is due. */
const STATUS = "rotation status || test $? = 3";

const NPM = ["npm", "run", "--silent", "lab", "--"];

let running: LabProcess[] = [];
const start = async (args: readonly string[], command?: readonly string[]) => {
  const lab = await startLabProcess(args, command);
  running.push(lab);
  return lab;
};
afterEach(async () => {
  await Promise.all(running.map((lab) => lab.remove()));
  running = [];
});

/** Runs a script as a fresh shell does, of which nothing is known but where programs usually are. */
async function inFreshShell({ envFile, projectDir }: Access, script: string): Promise<string> {
  const env = { HOME: process.env.HOME, PATH: "/usr/local/bin:/usr/bin:/bin" };
  const words = ["-c", `set -eu\n. '${envFile}'\ncd '${projectDir}'\n${script}`];
  return (await promisify(execFile)("/bin/sh", words, { env, cwd: "/" })).stdout;
}

const answers = (host: string, port: number) =>
  new Promise<boolean>((done) => {
    const socket = createConnection({ host, port }, () => done(true));
    socket.once("error", () => done(false)).once("connect", () => socket.destroy());
  });

/** Where something of the lab listens. */
function addresses(access: Access): [string, number][] {
  const urls = [access.store.address, access.alpaca.paper, access.slack, `smtp://${access.smtp}`]
    .concat(access.services.map(({ health }) => health))
    .map((url) => new URL(url));
  return [
    [access.postgres.host, access.postgres.port],
    ...access.hosts.map(({ address, port }): [string, number] => [address, port]),
    ...urls.map(({ hostname, port }): [string, number] => [hostname, Number(port)]),
  ];
}

describe("npm run lab -- --json", () => {
  it("says in one line how to reach everything; a fresh shell works with it; SIGTERM ends it and leaves nothing", async () => {
    const lab = await start(["--json"], NPM);
    const access = await lab.ready();
    expect(lab.stdout().trimEnd().split("\n")).toHaveLength(1);
    expect(access).toMatchObject({
      stack: "paper",
      postgres: { host: "127.0.0.1", user: "postgres" },
      databases: [
        { name: "trader", role: "trader", secret: "database/password" },
        { name: "analytics", role: "analytics", secret: "analytics/password" },
      ],
      store: { kind: "vault", mount: "secret", environment: "paper" },
      hosts: [{ name: "trading-1", address: "127.0.0.1", user: "deploy" }],
    });
    expect(access.services.map(({ name, host }) => [name, host])).toEqual(
      ["signal-service", "orchestrator", "execution-gateway", "market-data-service", "risk-service"].map((name) => [
        name,
        "trading-1",
      ]),
    );
    for (const { health } of access.services) expect((await fetch(health)).status, health).toBe(200);

    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await mode(access.envFile)).toBe("600");
    expect(await mode(dirname(access.envFile))).toBe("700");
    expect(await mode(dirname(access.projectDir))).toBe("700");

    // The stack has never run, and its config is complete.
    expect(await inFreshShell(access, "pulumi stack export | grep -c urn || true")).toBe("0\n");
    expect(await inFreshShell(access, "pulumi preview")).toContain(
      "database/password: adopts the credential in use and rotates to generation 1",
    );
    expect(await inFreshShell(access, STATUS)).toContain("first run");
    expect(await inFreshShell(access, "vault kv get -field=value secret/paper/database/password")).toContain(
      String(access.databases[0]?.password),
    );
    await inFreshShell(access, "pulumi config set --path secret-rotation:lab.clock 2027-02-20T02:00:00Z");
    expect(await inFreshShell(access, STATUS)).toContain("2027-02-20 02:00 UTC");

    await fetch(access.slack, { method: "POST", body: '{"text":"hello"}' });
    expect(await (await fetch(access.slack)).json()).toMatchObject([{ body: { text: "hello" } }]);

    process.kill(access.pid, "SIGTERM");
    expect(await lab.ended).toBe(0);
    expect(await lab.left()).toEqual([]);
    for (const [host, port] of addresses(access)) expect(await answers(host, port), `${host}:${port}`).toBe(false);
  });

  it("--store aws --strategy single-user; Ctrl-C, which the group gets, and twice", async () => {
    const lab = await start(["--json", "--store", "aws", "--strategy", "single-user"], NPM);
    const access = await lab.ready();
    expect(access.store).toMatchObject({ kind: "aws", token: null, mount: null, environment: "paper" });
    const config = await inFreshShell(access, "cat Pulumi.paper.yaml; env");
    expect(config).toContain("strategy: single-user");
    expect(config).not.toContain("alternating-users");
    expect(config).toMatch(/AWS_ENDPOINT_URL=http:\/\/127.0.0.1:\d+\n/);
    const group = -Number(lab.child.pid);
    process.kill(group, "SIGINT");
    process.kill(group, "SIGINT");
    await lab.ended;
    // npm, which is of the group, does not wait for what it runs.
    await poll(async () => (await lab.left()).length === 0, { what: "the lab's end", limitMs: 60_000 });
  });
});

describe("a start that is interrupted leaves nothing", () => {
  const moments: readonly [string, (lab: LabProcess) => Promise<unknown>][] = [
    ["before there is anything", async () => undefined],
    ["with the folder just made", (lab) => lab.folder()],
    ["while PostgreSQL is made", (lab) => lab.runs("initdb")],
    ["while the stack is made", (lab) => lab.runs("pulumi stack init")],
  ];
  for (const [moment, reached] of moments) {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      it(`${moment}, by ${signal} to the group, twice`, async () => {
        const lab = await start(["--json"]);
        await reached(lab);
        const group = -Number(lab.child.pid);
        process.kill(group, signal);
        if (signal !== "SIGKILL") process.kill(group, signal);
        await lab.ended;
        // A killed lab cannot wait until the rest has ended, and no lab waits for a child of a library (`postgres -V`).
        await poll(async () => (await lab.left()).length === 0, { what: "nothing left", limitMs: 60_000 });
      });
    }
  }
});

it("--help has an example; a wrong option is refused with what there is", async () => {
  const help = await start(["--help"]);
  expect(await help.ended).toBe(0);
  expect(help.stdout()).toContain("Example:");
  const wrong = await start(["--store", "etcd"]);
  expect(await wrong.ended).not.toBe(0);
  expect(wrong.stderr()).toContain("vault, aws");
});

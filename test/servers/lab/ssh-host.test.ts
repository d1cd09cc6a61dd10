import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Alpaca, startAlpaca } from "../../../dev/lab/alpaca";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { servicePolicy } from "../../../dev/lab/policies";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { isAlive } from "../../../dev/lab/processes";
import type { Health } from "../../../dev/lab/services/types";
import { type Host, startHost } from "../../../dev/lab/ssh-host";
import { generateSshKeys } from "../../../dev/lab/ssh-keys";
import { testFolder } from "./folder";
import { overSsh } from "./ssh";
import { openBaoPath } from "./tools";

let folder: Awaited<ReturnType<typeof testFolder>>;
let bao: OpenBao;
let postgres: Postgres;
let alpaca: Alpaca;
let host: Host;

beforeAll(async () => {
  folder = await testFolder();
  [bao, postgres, alpaca] = await Promise.all([
    openBaoPath().then((bin) => startOpenBao({ dir: folder.dir, bin })),
    startPostgres({ dir: folder.dir }),
    startAlpaca(),
  ]);
  await postgres.query("create role trader login password 'first'");
  const key = alpaca.paper.createKey();
  await bao.putSecret("paper/database/password", { value: "first", generation: 0 });
  await bao.putSecret("paper/alpaca/api_key_id", { value: key.keyId });
  await bao.putSecret("paper/alpaca/api_secret_key", { value: key.secretKey });
  const token = await bao.createToken("service", servicePolicy({ mount: "secret", environment: "paper" }));
  const store = { kind: "vault", address: bao.address, token, mount: "secret" } as const;
  const { host: address, port, database } = postgres;
  const login = {
    host: address,
    port,
    database,
    username: "trader",
    usernamePath: "paper/database/username",
    passwordPath: "paper/database/password",
  };
  const broker = {
    baseUrl: alpaca.paper.url,
    keyIdPath: "paper/alpaca/api_key_id",
    secretKeyPath: "paper/alpaca/api_secret_key",
  };
  host = await startHost({
    dir: folder.dir,
    name: "host-1",
    services: [
      { name: "signal-service", port: await freePort(), store, database: login },
      { name: "orchestrator", port: await freePort(), store, database: login, alpaca: broker },
      { name: "risk-service", port: await freePort(), store },
    ],
  });
  for (const { name } of host.services) await healthy(name);
});
afterAll(async () => {
  await host?.stop();
  await Promise.all([bao?.stop(), postgres?.stop(), alpaca?.stop()]);
  await folder?.remove();
});

const service = (name: string) => {
  const found = host.services.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const health = async (name: string) => (await (await fetch(service(name).healthUrl)).json()) as Health;
const becomes = (name: string, status: Health["status"], error = "") =>
  poll(
    async () => {
      const answer = await health(name);
      return answer.status === status && (answer.error ?? "").includes(error) && answer;
    },
    { what: `${name} ${status} ${error}`, limitMs: 60_000 },
  );
const healthy = (name: string) => becomes(name, "healthy");

test("runs a command: standard input, output, exit status and PATH", async () => {
  expect(await overSsh(host, "cat; echo bad >&2; exit 3", "given")).toEqual({
    code: 3,
    stdout: "given",
    stderr: "bad\n",
  });
  expect((await overSsh(host, "command -v systemctl")).stdout.trim()).toBe(`${host.binDir}/systemctl`);
  const url = service("risk-service").healthUrl;
  expect((await overSsh(host, `curl -fsS ${url}`)).stdout).toContain('"status":"healthy"');
});

test("accepts one key and no other", async () => {
  const other = generateSshKeys();
  await expect(overSsh(host, "true", "", other.private)).rejects.toThrow(/authentication/);
});

test("services say what they use, and no secret", async () => {
  const answer = await health("orchestrator");
  const last4 = answer.alpaca?.key_id_last4;
  expect(answer).toMatchObject({
    status: "healthy",
    secrets_backend: "vault",
    database: { user: "trader", role: "trader", version: 1, generation: "0" },
    alpaca: { version: 1 },
  });
  const log = await readFile(service("orchestrator").logFile, "utf8");
  expect(log).toContain(`INFO: Initialized AlpacaClient with key_id=…${last4}`);
  expect(log).toContain("Account fetched successfully (buying_power=$100000)");
  expect(log).not.toContain("first");
});

test("systemctl answers as systemd does", async () => {
  expect(await overSsh(host, "systemctl is-active signal-service")).toEqual({
    code: 0,
    stdout: "active\n",
    stderr: "",
  });
  expect(await overSsh(host, "systemctl restart no-such")).toEqual({
    code: 5,
    stdout: "",
    stderr: "Failed to restart no-such.service: Unit no-such.service not found.\n",
  });
  expect(await overSsh(host, "systemctl status no-such")).toMatchObject({ code: 4 });
  expect(await overSsh(host, "systemctl stop risk-service")).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(await overSsh(host, "systemctl is-active risk-service")).toMatchObject({ code: 3, stdout: "inactive\n" });
  expect(await overSsh(host, "systemctl status risk-service")).toMatchObject({ code: 3 });
  expect(await overSsh(host, "systemctl start risk-service")).toMatchObject({ code: 0 });
  await healthy("risk-service");
});

test("a restart picks up a new password, and a wrong one makes the service unhealthy until the store is fixed", async () => {
  await postgres.query("alter role trader password 'second'");
  expect((await health("signal-service")).status).toBe("healthy"); // Its session lives on.
  await overSsh(host, "systemctl restart signal-service");
  await becomes("signal-service", "unhealthy", 'password authentication failed for user "trader"');
  await bao.putSecret("paper/database/password", { value: "second", generation: 1 });
  expect((await healthy("signal-service")).database).toMatchObject({ version: 2, generation: "1" });
  expect(host.restarts.map((restart) => restart.service)).toContain("signal-service");
  expect(await readFile(service("signal-service").logFile, "utf8")).toContain("password authentication failed");
});

test("a user name in the store goes with its password, never with another one's", async () => {
  await postgres.query("create role trader_a login password 'third' in role trader");
  await postgres.query("alter role trader_a set role trader");
  await bao.putSecret("paper/database/username", { value: "trader_a", generation: 2 });
  await overSsh(host, "systemctl restart signal-service"); // The password is still of generation 1: it waits.
  await becomes("signal-service", "unhealthy");
  await bao.putSecret("paper/database/password", { value: "third", generation: 2 });
  const answer = await healthy("signal-service");
  expect(answer.database).toMatchObject({ user: "trader_a", role: "trader", generation: "2" });
});

test("the dry run proves the keys and says which", async () => {
  const ran = await overSsh(host, "orchestrator --dry-run");
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/Initialized AlpacaClient with key_id=…\w{4}\n.*Account fetched successfully/);
});

test("a deleted key makes a running service unhealthy", async () => {
  const old = (await bao.getSecret("paper/alpaca/api_key_id"))?.data.value as string;
  alpaca.paper.deleteKey(old);
  const answer = await becomes("orchestrator", "unhealthy");
  expect(answer.error).toBe("401 Unauthorized (invalid API key)");
  const key = alpaca.paper.createKey();
  await bao.putSecret("paper/alpaca/api_key_id", { value: key.keyId });
  await bao.putSecret("paper/alpaca/api_secret_key", { value: key.secretKey });
  await overSsh(host, "systemctl restart orchestrator");
  expect((await healthy("orchestrator")).alpaca?.key_id_last4).toBe(key.keyId.slice(-4));
});

test("misbehaves on demand", async () => {
  const url = service("risk-service").healthUrl;
  await host.setFault("risk-service", { kind: "never-healthy" });
  expect(await health("risk-service")).toMatchObject({ status: "unhealthy" });
  await host.setFault("risk-service", { kind: "html" });
  expect(await (await fetch(url)).text()).toContain("<html>");
  await host.setFault("risk-service", { kind: "hangs" });
  await expect(fetch(url, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
  await host.setFault("risk-service", { kind: "flaps", periodMs: 100 });
  await becomes("risk-service", "unhealthy");
  await becomes("risk-service", "healthy");
  await host.setFault("risk-service", { kind: "crashes" });
  expect(await host.systemctl("restart", "risk-service")).toBe(0);
  await poll(async () => (await host.systemctl("is-active", "risk-service")) === 3, {
    what: "a crash",
    limitMs: 60_000,
  });
  await host.setFault("risk-service", { kind: "slow-start", ms: 300 });
  await host.systemctl("restart", "risk-service");
  await expect(fetch(url)).rejects.toThrow();
  await healthy("risk-service");
  await host.setFault("risk-service", undefined);
});

test("a second host has the same service on the same port, and its own localhost", async () => {
  const { config, port } = service("risk-service");
  const second = await startHost({ dir: folder.dir, name: "host-2", address: "127.0.0.2", services: [config] });
  try {
    await poll(async () => (await fetch(second.services[0]?.healthUrl ?? "")).ok, { what: "host-2", limitMs: 60_000 });
    await second.setFault("risk-service", { kind: "never-healthy" });
    const local = `curl -s http://localhost:${port}/health`;
    expect((await overSsh(second, local)).stdout).toContain("unhealthy");
    expect((await overSsh(host, local)).stdout).not.toContain("unhealthy");
    const [pid] = /\d+/.exec((await overSsh(second, "systemctl status risk-service | grep PID")).stdout) ?? [];
    await second.stop();
    expect(isAlive(Number(pid))).toBe(false);
  } finally {
    await second.stop();
  }
});

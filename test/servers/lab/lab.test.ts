import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, startLab } from "../../../dev/lab/lab";
import { exposure, startLoad } from "../../../dev/lab/load";
import { poll } from "../../../dev/lab/poll";
import { openBaoPath } from "./tools";

let lab: Lab;
const marks: string[] = [];

beforeAll(async () => {
  lab = await startLab({
    openbao: await openBaoPath(),
    hosts: ["one", "two"],
    databases: [
      { name: "trader", role: "trader", secretName: "database/password" },
      { name: "analytics", role: "analytics", secretName: "analytics/password" },
    ],
    services: [
      { name: "signal-service", database: "database/password", hosts: ["one", "two"] },
      { name: "execution-gateway", alpaca: true },
      { name: "report-service", database: "analytics/password" },
      { name: "risk-service" },
    ],
    secret: (purpose) => {
      marks.push(`marked-${purpose.replaceAll(" ", "-")}-${marks.length}`);
      return marks.at(-1) ?? "";
    },
  });
});
afterAll(() => lab?.stop());

test("seeds databases and store, and describes itself for the stack's config", async () => {
  expect(Object.keys(lab.adopted)).toEqual(["database/password", "analytics/password"]);
  const stored = await lab.openbao.getSecret("paper/database/password");
  expect(stored?.data.value).toBe(lab.adopted["database/password"]);
  expect(await lab.health("report-service")).toMatchObject({ database: { user: "analytics" } });
  expect(lab.config.services["signal-service"]).toEqual({
    hosts: ["one", "two"],
    health: expect.stringMatching(/^http:\/\/\{address\}:\d+\/health$/),
  });
  expect(lab.config.hosts.two?.address).toBe("127.0.0.2");
  expect(lab.env.PGUSER).toBe("rotation");
  expect(lab.adminEnv.PGPASSWORD).toBe(lab.postgres.adminPassword);
});

test("no secret of the lab is in a log", async () => {
  const services = lab.hosts.flatMap((host) => host.services.map((service) => service.logFile));
  for (const file of [lab.postgres.logFile, lab.openbao.logFile, lab.openbao.auditFile, ...services]) {
    const text = await readFile(file, "utf8");
    for (const mark of marks) expect(text, file).not.toContain(mark);
  }
});

test("load: every service tries with what it holds, and a changed password fails until the restart", async () => {
  const load = await startLoad(lab, { loginsPerSecond: 60, alpacaPerSecond: 20, limitSeconds: 60 });
  const tried = async (more: number) => {
    const before = (await load.snapshot()).logins.tried;
    return poll(async () => (await load.snapshot()).logins.tried >= before + more, { what: "load", limitMs: 60_000 });
  };
  await tried(60);
  const before = await load.snapshot();
  expect(before.logins.failed).toBe(0);
  expect(before.alpaca).toMatchObject({ failed: 0 });

  const changed = Date.now();
  await lab.postgres.query("alter role trader password 'changed'");
  await tried(40);
  await lab.openbao.putSecret("paper/database/password", { value: "changed" });
  for (const host of lab.hosts) await host.systemctl("restart", "signal-service");
  await lab.healthy();
  const mended = Date.now();
  await tried(40);

  const { logins, alpaca } = await load.stop({ alpaca: 1 });
  expect(logins.failed).toBeGreaterThan(0);
  expect(new Set(logins.failures.map(({ code }) => code))).toEqual(new Set(["28P01"]));
  expect(new Set(logins.failures.map(({ service }) => service))).toEqual(new Set(["signal-service"]));
  expect(logins.failures.every(({ t }) => t <= mended)).toBe(true);
  expect(exposure(logins.failures)).toBeGreaterThan(0);
  expect(exposure(logins.failures)).toBeLessThanOrEqual((mended - changed) / 1000);
  expect(alpaca.failed).toBe(0);
  expect((await load.snapshot()).logins.tried).toBe(logins.tried);
});

test("load: limits itself and names what Alpaca answers", async () => {
  lab.alpaca.paper.setFault({ status: 429, retryAfterSeconds: 1 });
  const load = await startLoad(lab, { alpacaPerSecond: 50, services: ["execution-gateway"] });
  await poll(async () => (await load.snapshot()).alpaca.failed > 5, { what: "failed requests", limitMs: 60_000 });
  lab.alpaca.paper.setFault(undefined);
  const { alpaca, logins } = await load.stop();
  expect(new Set(alpaca.failures.map(({ code }) => code))).toEqual(new Set(["429"]));
  expect(logins.tried).toBe(0);
});

test("stops everything and leaves no folder; a lab that cannot start leaves none either", async () => {
  const other = await startLab({ openbao: await openBaoPath(), services: [{ name: "risk-service" }] });
  const urls = [other.openbao.address, other.alpaca.paper.url, other.service("risk-service").healthUrl];
  await other.stop();
  for (const url of urls) await expect(fetch(url)).rejects.toThrow();
  expect(existsSync(other.dir)).toBe(false);
  await expect(startLab({ openbao: "/no/such/bao" })).rejects.toThrow(/cannot start \/no\/such\/bao/);
});

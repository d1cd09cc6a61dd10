import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { clockAt } from "../../dev/lab/deploy";
import { poll } from "../../dev/lab/poll";
import { COMPOSE_FILE, nodeModules, startCompose } from "./ground/compose";
import { withoutDebian } from "./ground/debian";
import { allowRestart, DEPLOY_USER, type Machine } from "./ground/machine";
import { type Ground, type Site, startGround } from "./ground/platform";
import { attemptsIn, type FieldService, observed, type ServicePlan } from "./ground/service";
import { actuator, javaFiles, springJar, withoutSpring } from "./ground/spring";

const missing = (await withoutDebian()) ?? (await withoutSpring());
const [NODE, SPRING, CRON] = ["order-service", "ledger-service", "nightly"] as const;

/** The files of a composed service on this machine, with its settings. */
async function filesOf(dir: string, { name, port, vault, paths }: ServicePlan) {
  const folder = join(dir, name);
  await mkdir(folder, { recursive: true });
  const settings = { address: "127.0.0.1", port, vault, paths, attempts: "/var/service/attempts.jsonl" };
  await writeFile(join(folder, "settings.json"), JSON.stringify(settings), { mode: 0o600 });
  await writeFile(join(folder, "attempts.jsonl"), "");
  return folder;
}

/** Node.js and Spring Boot under Docker Compose, and a job of cron beside the unit of systemd. */
async function further(site: Site, seen: (host: Machine) => void): Promise<FieldService[]> {
  const [node, spring] = [await site.plan(NODE), await site.plan(SPRING)];
  const [nodeFolder, springFolder] = [await filesOf(site.dir, node), await filesOf(site.dir, spring)];
  const app = await readFile(join(projectRoot(), `test/field/services/${NODE}.cjs`), "utf8");
  await writeFile(join(nodeFolder, "service.cjs"), app);
  const jar = await springJar();
  const java = await javaFiles();
  const environment = { SETTINGS: "/var/service/settings.json" };
  const host = await startCompose(site, site.docker.address, {
    [NODE]: {
      command: ["/usr/local/bin/node", "/var/service/service.cjs"],
      environment: { ...environment, NODE_PATH: "/opt/node_modules" },
      files: {
        [process.execPath]: "/usr/local/bin/node:ro",
        [await nodeModules()]: "/opt/node_modules:ro",
        [nodeFolder]: "/var/service",
      },
    },
    [SPRING]: {
      command: [join(Object.keys(java)[0] ?? "", "bin/java"), "-Xmx192m", "-jar", "/opt/app.jar"],
      environment,
      files: { ...java, [jar]: "/opt/app.jar:ro", [springFolder]: "/var/service" },
    },
  });
  seen(host);
  const compose = { compose: { file: COMPOSE_FILE }, timeout: "60s" };
  const log = (folder: string) => () => readFile(join(folder, "attempts.jsonl"), "utf8");
  const place = (health: string) => ({ config: { ...compose, health }, places: [{ name: "docker-1", health }] });
  return [
    observed({ name: NODE, ...place(`http://127.0.0.1:${node.port}/health`), log: log(nodeFolder) }),
    observed({
      name: SPRING,
      ...{ ...place(`http://127.0.0.1:${spring.port}/actuator/health`), read: actuator, log: log(springFolder) },
    }),
  ].map((service) =>
    service.name === SPRING ? { ...service, config: { ...service.config, healthy: { equals: ["UP"] } } } : service,
  );
}

describe.skipIf(missing !== undefined)(
  `FastAPI, Node.js, Spring Boot, cron and a foreign-data mapping, systemd and Docker Compose${missing ? `: ${missing}` : ""}`,
  () => {
    let ground: Ground;
    let docker: Machine;
    const sessions: pg.Client[] = [];
    const unit = () => ground.machines[0] as Machine;
    beforeAll(async () => {
      ground = await startGround({
        services: {
          "signal-service": { hosts: ["trading-1"], config: { restart: "sudo -n systemctl restart signal-service" } },
        },
        more: async (site) => {
          const services = await further(site, (host) => {
            docker = host;
          });
          nightly = await site.plan(CRON);
          return services;
        },
      });
      await allowRestart(unit(), "signal-service");
      await startCron();
      await foreignData();
    });
    afterAll(async () => {
      await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));
      await ground?.stop();
    });

    let nightly: ServicePlan;
    /** Cron of Debian, whose shortest time is a minute. */
    async function startCron() {
      const { vault, paths } = nightly;
      const job = await readFile(join(projectRoot(), "test/field/services/nightly.py"), "utf8");
      await unit().write("/opt/nightly.py", job);
      const settings = { vault, paths, attempts: "/var/lib/nightly.jsonl" };
      await unit().write("/etc/nightly.json", JSON.stringify(settings), "0600");
      const environment = "SETTINGS=/etc/nightly.json\nPYTHONPATH=/opt/service/lib\n";
      const line = "* * * * * root /usr/bin/python3 /opt/nightly.py 2>>/var/lib/nightly.err\n";
      await unit().write("/etc/cron.d/nightly", environment + line);
      await unit().run("touch /var/lib/nightly.jsonl && systemctl unmask cron && systemctl start cron");
    }

    /** Another database that reads the platform's as its role in use. */
    async function foreignData() {
      const { postgres, stack } = ground;
      const { adopted } = await adoptedPassword(stack);
      await postgres.query("create database reporting");
      await postgres.query("create role reporter login password 'of-the-reporter'");
      await postgres.query(
        `create extension postgres_fdw;
         create server platform foreign data wrapper postgres_fdw
           options (host '${postgres.host}', port '${postgres.port}', dbname 'trader');
         create user mapping for reporter server platform options (user 'trader', password '${adopted}');
         create foreign table positions (symbol text, quantity numeric) server platform;
         grant select on positions to reporter`,
        undefined,
        "reporting",
      );
    }
    const adoptedPassword = async ({ pulumi }: Ground["stack"]) => {
      const { stdout } = await pulumi(["config", "get", "adopted"]);
      return { adopted: (JSON.parse(stdout) as Record<string, string>)["database/password"] };
    };
    const report = async () => {
      const { host, port } = ground.postgres;
      const session = new pg.Client({
        host,
        port,
        user: "reporter",
        password: "of-the-reporter",
        database: "reporting",
      });
      session.on("error", () => undefined);
      await session.connect();
      sessions.push(session);
      await session.query("select count(*) from positions");
      return session;
    };

    const up = async () => {
      const answer = await ground.stack.pulumi(["up", "--yes", "--skip-preview"]);
      return { ...answer, text: (answer.stdout + answer.stderr).replace(/\s+/g, " ") };
    };
    const done = async () => {
      const { exitCode, text } = await up();
      expect(exitCode, text).toBe(0);
      return text;
    };
    const users = async () =>
      Object.fromEntries(
        await Promise.all(
          ground.services.map(async (service) => [service.name, Object.values(await service.users())[0]] as const),
        ),
      );
    const all = (user: string) => ({ "signal-service": user, [NODE]: user, [SPRING]: user });
    const day = (days: number) => ground.stack.configure("lab", clockAt(days));
    const ofCron = async () => attemptsIn(await unit().run("cat /var/lib/nightly.jsonl"));

    it("without a right to use Docker, or with a wrong name, nothing is changed", async () => {
      await docker.run(`gpasswd --delete ${DEPLOY_USER} docker`);
      const refused = await up();
      expect(refused.exitCode, refused.text).not.toBe(0);
      expect(refused.text).toMatch(/order-service could not be restarted: permission denied/);
      expect(refused.text).not.toMatch(/has no container/);
      await docker.run(`usermod -aG docker ${DEPLOY_USER}`);
      const services = Object.fromEntries(ground.services.map(({ name, config }) => [name, config]));
      const wrong = { ...services[NODE], compose: { file: COMPOSE_FILE, service: "orders" } };
      await ground.stack.configure("services", { ...services, [NODE]: wrong });
      const unknown = await up();
      expect(unknown.exitCode, unknown.text).not.toBe(0);
      expect(unknown.text).toMatch(/docker compose has no container of a service orders there/);
      await ground.stack.configure("services", services);
      expect(await users()).toEqual(all("trader"));
    });

    it("adopts; a foreign-data mapping keeps the old login, and every update names it", async () => {
      await done();
      expect(await users()).toEqual(all("trader_b"));
      await report();
      await day(1.1);
      const text = await done();
      expect(text).toMatch(/the grace period of trader ended at .*, but it is still in use: postgres_fdw from /);
    });

    it("at gracePeriodMax it is revoked, and the audit row names the mapping", async () => {
      await day(8);
      await done();
      const { rows } = await ground.postgres.query(
        "select action, reason from secret_rotation_log order by id desc limit 1",
      );
      expect(rows[0].action).toBe("REVOKE");
      expect(rows[0].reason).toMatch(/still in use by postgres_fdw from /);
      await expect(report()).rejects.toThrow(/could not connect to server/);
    });

    it("rotates, rolls back and revokes all of them; no login fails", async () => {
      await day(89);
      await done();
      expect(await users()).toEqual(all("trader_a"));
      await ground.stack.configure("request", {
        ...{ id: "back", secret: "database/password", activate: 1, reason: "a test" },
      });
      await done();
      expect(await users()).toEqual(all("trader_b"));
      await day(91);
      await done();
      await day(92);
      await done();
      const { rows } = await ground.postgres.query(
        "select rolname from pg_roles where rolname ~ '^trader' and rolcanlogin",
      );
      expect(rows).toEqual([{ rolname: "trader_a" }]);
      expect(await users()).toEqual(all("trader_a"));
      const last = poll(async () => (await ofCron()).at(-1)?.user === "trader_a", {
        ...{ what: "cron's job as trader_a", limitMs: 120_000, everyMs: 1000 },
      });
      await last;
      const tried = await Promise.all(
        ground.services.map(async (service) => [service.name, await service.attempts()] as const),
      );
      const attempts = [...tried, [CRON, await ofCron()] as const];
      for (const [name, found] of attempts)
        expect(
          found.filter(({ error }) => error),
          name,
        ).toEqual([]);
      console.log(
        `services: ${attempts.map(([name, found]) => `${name} ${found.length}`).join(", ")} logins, 0 failed`,
      );
    });

    it("a composed service that does not come up stops the rollout; the next update finishes", async () => {
      const broken = join(ground.dir, NODE, "service.cjs");
      const app = await readFile(broken, "utf8");
      await writeFile(broken, "process.exit(1)");
      await ground.stack.configure("request", {
        ...{ id: "again", secret: "database/password", rotate: true, reason: "a test" },
      });
      const before = await Promise.all(ground.services.map((service) => service.starts()));
      const { exitCode, text } = await up();
      expect(exitCode, text).not.toBe(0);
      expect(text).toMatch(/order-service[^;]*docker-1/);
      const after = await Promise.all(ground.services.map((service) => service.starts()));
      expect(after[1]).toEqual({ "docker-1": "down" });
      expect(after[2]).toEqual(before[2]);
      await writeFile(broken, app);
      await docker.run(`docker compose --file ${COMPOSE_FILE} up --detach`);
      await done();
      expect(await users()).toEqual(all("trader_b"));
    });
  },
);

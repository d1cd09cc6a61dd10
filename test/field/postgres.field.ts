import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAt } from "../../dev/lab/deploy";
import { poll } from "../../dev/lab/poll";
import { postgresHome } from "../../dev/lab/postgres-binaries";
import { type Cluster, type Outage, withoutCluster } from "./ground/cluster";
import { DEBIAN_POSTGRES } from "./ground/database";
import { withoutDebian } from "./ground/debian";
import { allowRestart } from "./ground/machine";
import { refusals } from "./ground/node";
import { type Ground, startGround } from "./ground/platform";
import type { Attempt } from "./ground/service";

const missing = (await withoutDebian()) ?? withoutCluster();
const VERSIONS = [
  {
    version: "PostgreSQL 15 of Debian",
    home: async () => DEBIAN_POSTGRES,
    without: existsSync(join(DEBIAN_POSTGRES, "bin/postgres")) ? missing : "apt-get install postgresql-15",
  },
  { version: "PostgreSQL 18", home: postgresHome, without: missing },
];

for (const { version, home, without } of VERSIONS) {
  describe.skipIf(without !== undefined)(
    `${version} with a standby, HAProxy and PgBouncer, TLS verify-full, no superuser${without ? `: ${without}` : ""}`,
    () => {
      let ground: Ground;
      let cluster: Cluster;
      const outages: Outage[] = [];
      beforeAll(async () => {
        ground = await startGround({
          cluster: { home: await home() },
          services: {
            "signal-service": { hosts: ["trading-1"], config: { restart: "sudo -n systemctl restart signal-service" } },
          },
        });
        cluster = ground.cluster as Cluster;
        await allowRestart(ground.machines[0], "signal-service");
      });
      afterAll(async () => ground?.stop());

      const up = async (onOutput: (text: string) => void = () => undefined) => {
        const answer = await ground.stack.pulumi(["up", "--yes", "--skip-preview"], { onOutput });
        return { ...answer, text: (answer.stdout + answer.stderr).replace(/\s+/g, " ") };
      };
      const done = async () => {
        const { exitCode, text } = await up();
        expect(exitCode, text).toBe(0);
        return text;
      };
      const rotation = async (args: readonly string[], env: Record<string, string> = {}) => {
        const { stack } = ground;
        const command = [join(stack.projectDir, "dist/cli/rotation.mjs"), ...args, "--stack", stack.name];
        const all = await execa(process.execPath, command, {
          ...{ cwd: stack.projectDir, env: { ...stack.env, ...env }, reject: false, stdin: "ignore", all: true },
        });
        return { exitCode: all.exitCode, text: all.all };
      };
      const user = async () => (await ground.services[0]?.users())?.["trading-1"];
      const request = (id: string, what: Record<string, unknown>) =>
        ground.stack.configure("request", { id, secret: "database/password", reason: "a test", ...what });
      const logins = async (query = cluster.primary().query) => {
        const { rows } = await query(
          "select rolname from pg_roles where rolname ~ '^trader' and rolcanlogin order by rolname",
        );
        return rows.map(({ rolname }) => rolname);
      };
      /** Updates while the standby replays nothing; `then` is called when it has refused the new login. */
      const upBehind = async (login: string, then: () => Promise<unknown>, hold = pause) => {
        const standby = cluster.standby();
        await hold();
        const before = await refusals(standby, login);
        const updating = up();
        const refused = poll(async () => (await refusals(standby, login)) > before, {
          what: `the standby refuses ${login}`,
          limitMs: 300_000,
        });
        await Promise.race([refused, updating]);
        await then();
        return updating;
      };
      const pause = (): Promise<unknown> => cluster.standby().query("select pg_wal_replay_pause()");
      const resume = () => cluster.standby().query("select pg_wal_replay_resume()");

      /** The credential is valid by every point, and no login failed but those while there was no primary. */
      const proven = async () => {
        const validated = await rotation(["validate", "database/password"]);
        const attempts = (await ground.services[0]?.attempts()) ?? [];
        const failed = attempts.filter(({ error }) => error !== undefined);
        const during = failed.filter(({ t }) => outages.some(({ from, until }) => from - 5 < t && t < until));
        console.log(
          `${version}: ${words(attempts)}, ${failed.length - during.length} failed, ${during.length} while no primary answered`,
        );
        expect(failed.filter((attempt) => !during.includes(attempt))).toEqual([]);
        expect(validated.exitCode, validated.text).toBe(0);
      };

      /** After a failover the config names what leads to the primary; the server that was the primary is none of its paths. */
      const moveTo = async (port: number, standby: number) => {
        const { pgbouncer } = cluster.ports;
        const paths = [
          "primary",
          { address: `127.0.0.1:${pgbouncer}`, pooler: true },
          { address: `127.0.0.1:${standby}`, limit: "20s" },
        ];
        const database = { ...(ground.secret.database as object), port };
        await ground.stack.configure("secrets", [{ ...ground.secret, database, paths }]);
      };

      it("adopts, rotates, rolls back and revokes; no login fails over any path", async () => {
        const { rows } = await cluster
          .primary()
          .query("select rolname from pg_roles where rolsuper and rolname in ('rotation', 'managed_admin')");
        expect(rows).toEqual([]);
        await done();
        expect(await user()).toBe("trader_b");

        await ground.stack.configure("lab", clockAt(89));
        const rotated = await upBehind("trader_a", resume);
        expect(rotated.exitCode, rotated.text).toBe(0);
        expect(await user()).toBe("trader_a");

        await request("back", { activate: 1 });
        await done();
        expect(await user()).toBe("trader_b");
        await ground.stack.configure("lab", clockAt(91));
        await done();
        await ground.stack.configure("lab", clockAt(92));
        await done();
        expect(await logins()).toEqual(["trader_a"]);
        await proven();
      });

      it("names a standby that stays behind; nothing in use has changed, and the next update finishes", async () => {
        const paths = ground.secret.paths as unknown[];
        const impatient = [...paths.slice(0, -1), { address: paths.at(-1), limit: "3s" }];
        await ground.stack.configure("secrets", [{ ...ground.secret, paths: impatient }]);
        await request("again", { rotate: true });
        await cluster.standby().query("select pg_wal_replay_pause()");
        const { exitCode, text } = await up();
        expect(exitCode, text).not.toBe(0);
        expect(text).toMatch(/over the path 127\.0\.0\.1:\d+: trader_b cannot log in[^;]*if it is a standby/);
        expect(await user()).toBe("trader_a");
        await resume();
        await done();
        expect(await user()).toBe("trader_b");
        await ground.stack.configure("secrets", [ground.secret]);
      });

      it("a failover between two steps: the run says what holds, and finishes on the new primary", async () => {
        await request("failover", { rotate: true });
        const updated = await upBehind("trader_a", async () => outages.push(await cluster.failOver()));
        expect(updated.exitCode, updated.text).not.toBe(0);
        // Of the new login, or of the one in use, which the rehearsal compares it with.
        expect(updated.text).toMatch(/trader_[ab] cannot log in to trader on 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
        const again = await rotation(["run", "--yes"]);
        expect(again.exitCode).toBe(1);
        expect(again.text).toMatch(/the rotation to generation 5 has begun and is not finished/);
        expect(again.text).toMatch(/# make the database reachable again, or after a failover name the new primary/);
        const { haproxy, nodes } = cluster.ports;
        await moveTo(haproxy, nodes[1]);
        const finished = await rotation(["run", "--yes"]);
        expect(finished.exitCode, finished.text).toBe(0);
        expect(await user()).toBe("trader_a");
        await proven();
      });

      it("a failover to a standby that had not replayed the new login: the next run sets it again", async () => {
        await cluster.rejoin();
        const { haproxy, nodes } = cluster.ports;
        await moveTo(haproxy, nodes[0]);
        await request("lost", { rotate: true });
        const lose = async () => outages.push(await cluster.failOver());
        const updated = await upBehind("trader_b", lose, () => cluster.detach());
        expect(updated.exitCode, updated.text).not.toBe(0);
        expect(updated.text).toMatch(/over the path 127\.0\.0\.1:\d+: trader_b cannot log in/);
        expect(await user()).toBe("trader_a");
        const finished = await rotation(["run", "--yes"]);
        expect(finished.exitCode, finished.text).toBe(0);
        const last = "select outputs from secret_rotation_log order by id desc limit 1";
        const { rows } = await cluster.primary().query(last);
        expect(rows[0].outputs.warnings).toEqual([expect.stringMatching(/had lost the password of trader_b/)]);
        expect(await user()).toBe("trader_b");
        await proven();
      });
    },
  );
}

/** The number of logins by path. */
function words(attempts: readonly Attempt[]): string {
  const paths = [...new Set(attempts.map(({ path }) => path))];
  const count = (path: string) => attempts.filter((attempt) => attempt.path === path).length;
  return `${attempts.length} logins (${paths.map((path) => `${path} ${count(path)}`).join(", ")})`;
}

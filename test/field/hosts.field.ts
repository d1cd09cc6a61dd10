import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { clockAt } from "../../dev/lab/deploy";
import { withoutDebian } from "./ground/debian";
import { type Ground, startGround } from "./ground/platform";

const missing = await withoutDebian();

/** The block of `docs/restarts.md` that contains `text`, for the services of the test. */
async function documented(text: string): Promise<string> {
  const page = await readFile(join(projectRoot(), "docs/restarts.md"), "utf8");
  const block = page.split("```").find((part, index) => index % 2 === 1 && part.includes(text));
  if (block === undefined) throw new Error(`expected a block with "${text}" in docs/restarts.md, found none`);
  return block.replace(/^\w*\n/, "");
}

describe.skipIf(missing !== undefined)(
  `Debian hosts with systemd, polkit and sudo${missing ? `: ${missing}` : ""}`,
  () => {
    let ground: Ground;
    beforeAll(async () => {
      ground = await startGround({
        services: {
          "signal-service": { hosts: ["trading-1", "trading-2"] },
          orchestrator: { hosts: ["trading-2"], config: { restart: "sudo -n systemctl restart orchestrator" } },
        },
      });
    });
    afterAll(async () => ground?.stop());

    const up = () => ground.stack.pulumi(["up", "--yes", "--skip-preview"]);
    const refused = async () => {
      const { exitCode, stdout, stderr } = await up();
      expect(exitCode, stdout).not.toBe(0);
      return stdout + stderr;
    };
    const done = async () => {
      const { exitCode, stdout, stderr } = await up();
      expect(exitCode, stdout + stderr).toBe(0);
      return stdout;
    };
    const users = async () =>
      Object.assign({}, ...(await Promise.all(ground.services.map((service) => service.users()))));
    const starts = async () => Promise.all(ground.services.map((service) => service.starts()));
    const machine = (name: string) => {
      const found = ground.machines.find((candidate) => candidate.name === name);
      if (found === undefined) throw new Error(`no host ${name}`);
      return found;
    };

    it("without a right to restart, nothing changes and the message names unit, account and host", async () => {
      const before = await starts();
      const answer = await refused();
      expect(answer).toMatch(/signal-service/);
      expect(answer).toMatch(/trading-1/);
      expect(answer).toMatch(/deploy/);
      expect(await starts()).toEqual(before);
      const { rows } = await ground.postgres.query("select 1 from pg_roles where rolname like 'trader\\__'");
      expect(rows).toEqual([]);
    });

    it("polkit alone is not enough for the service that restarts with sudo", async () => {
      const rule = await documented("polkit.addRule");
      for (const name of ["trading-1", "trading-2"]) {
        await machine(name).write("/etc/polkit-1/rules.d/50-secret-rotation.rules", rule);
      }
      const before = await starts();
      expect(await refused()).toMatch(/orchestrator[\s\S]*sudo/);
      expect(await starts()).toEqual(before);
    });

    it("with the documented rules it adopts, rotates, rolls back and revokes; no login fails", async () => {
      const line = (await documented("NOPASSWD")).replaceAll("signal-service", "orchestrator");
      await machine("trading-2").write("/etc/sudoers.d/secret-rotation", line, "0440");
      await done();
      expect(await users()).toEqual({ "trading-1": "trader_b", "trading-2": "trader_b" });

      await ground.stack.configure("lab", clockAt(89));
      await done();
      expect(await users()).toEqual({ "trading-1": "trader_a", "trading-2": "trader_a" });

      await ground.stack.configure("request", {
        id: "back",
        secret: "database/password",
        activate: 1,
        reason: "a test",
      });
      await done();
      expect(await users()).toEqual({ "trading-1": "trader_b", "trading-2": "trader_b" });

      // What was rolled back to is of the first day: it is due again. A day later the grace period of the other is over.
      await ground.stack.configure("lab", clockAt(91));
      await done();
      await ground.stack.configure("lab", clockAt(92));
      const ended = await done();
      const { rows } = await ground.postgres.query(
        "select rolname from pg_roles where rolname ~ '^trader' and rolcanlogin",
      );
      expect(rows, ended).toEqual([{ rolname: "trader_a" }]);

      const attempts = (await Promise.all(ground.services.map((service) => service.attempts()))).flat();
      expect(attempts.filter(({ error }) => error !== undefined)).toEqual([]);
      expect(new Set(attempts.map(({ user }) => user))).toEqual(new Set(["trader", "trader_a", "trader_b"]));
      console.log(`hosts: ${attempts.length} logins, 0 failed`);
    });

    it("a unit that does not come up again stops the rollout at its first host", async () => {
      await machine("trading-1").write(
        "/etc/systemd/system/signal-service.service.d/broken.conf",
        "[Service]\nExecStartPre=/bin/false\n",
      );
      await machine("trading-1").run("systemctl daemon-reload");
      const [before] = await starts();
      await ground.stack.configure("request", {
        id: "again",
        secret: "database/password",
        rotate: true,
        reason: "a test",
      });
      const answer = await refused();
      expect(answer).toMatch(/signal-service[\s\S]*trading-1/);
      const [after] = await starts();
      expect(after).toEqual({ "trading-1": "down", "trading-2": before?.["trading-2"] });
      await machine("trading-1").run("rm -r /etc/systemd/system/signal-service.service.d && systemctl daemon-reload");
      const finished = await done();
      expect(await users(), answer + finished).toEqual({ "trading-1": "trader_b", "trading-2": "trader_b" });
    });
  },
);

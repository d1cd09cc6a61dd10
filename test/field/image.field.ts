import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PASSPHRASE } from "../../dev/lab/passphrase";
import { inShell } from "../advice/shell";
import { advised } from "../advice/table";
import { withoutDebian } from "./ground/debian";
import { buildImage, withoutPlugins } from "./ground/image";
import { allowRestart } from "./ground/machine";
import { type Ground, startGround } from "./ground/platform";

const missing = (await withoutDebian()) ?? (await withoutPlugins());

/** The user of the image. */
const USER = 10_001;

describe.skipIf(missing !== undefined)(
  `the image of deploy/Containerfile, as the CronJob runs it${missing ? `: ${missing}` : ""}`,
  () => {
    let ground: Ground;
    let image: string;
    /** What the CronJob mounts at /run/credentials. */
    let credentials: string;
    let seconds: number;

    beforeAll(async () => {
      ground = await startGround({
        services: {
          "signal-service": { hosts: ["trading-1"], config: { restart: "sudo -n systemctl restart signal-service" } },
        },
      });
      await allowRestart(ground.machines[0], "signal-service");
      // With the real plugins and the real clock: what a lab's stack needs is not in the image.
      await ground.stack.configure("lab", undefined);
      const start = Date.now();
      image = await buildImage(ground.docker, ground.dir);
      seconds = Math.round((Date.now() - start) / 1000);
      credentials = join(ground.dir, "credentials");
      await mkdir(credentials);
      const { PGHOST, PGPORT, PGUSER, PGPASSWORD, VAULT_TOKEN = "" } = ground.stack.env;
      const files = {
        passphrase: PASSPHRASE,
        pgpass: `${PGHOST}:${PGPORT}:*:${PGUSER}:${PGPASSWORD}\n`,
        ".vault-token": VAULT_TOKEN,
      };
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(credentials, name), content);
        await chmod(join(credentials, name), 0o400);
        await chown(join(credentials, name), USER, USER);
      }
    });
    afterAll(async () => ground?.stop());

    // deploy/kubernetes/cronjob.yaml, with the state in a folder instead of a bucket.
    const flags = [
      ...["--rm", "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"],
      ...["--security-opt", "no-new-privileges"],
    ];
    const container = async (args: readonly string[], entrypoint?: string) => {
      const { stack } = ground;
      const { PGHOST, PGPORT, PGUSER, PGDATABASE, VAULT_ADDR } = stack.env;
      const env = {
        ...{ PULUMI_BACKEND_URL: "file:///state", VAULT_ADDR, PGHOST, PGPORT, PGUSER, PGDATABASE },
        PULUMI_CONFIG_PASSPHRASE_FILE: "/run/credentials/passphrase",
        ...{ PGPASSFILE: "/run/credentials/pgpass", HOME: "/run/credentials", PULUMI_HOME: "/tmp/pulumi" },
      };
      // A bucket would ask for no owner.
      await execa("chown", ["-R", `${USER}:${USER}`, stack.stateDir]);
      const settings = join(stack.projectDir, `Pulumi.${stack.name}.yaml`);
      const mounts = [
        ...["-v", `${credentials}:/run/credentials:ro`, "-v", `${stack.stateDir}:/state`],
        ...["-v", `${settings}:/opt/secret-rotation/Pulumi.${stack.name}.yaml:ro`],
      ];
      const variables = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
      const start = entrypoint === undefined ? [] : ["--entrypoint", entrypoint];
      return execa("docker", ["run", ...flags, ...variables, ...mounts, ...start, image, ...args], {
        env: { DOCKER_HOST: ground.docker.address },
        reject: false,
        all: true,
        stdin: "ignore",
      });
    };
    const rotation = async (...args: string[]) => {
      const { exitCode, all } = await container([...args, "--stack", ground.stack.name]);
      expect(exitCode, all).toBe(0);
      return all;
    };
    const users = () => ground.services[0]?.users();

    it("runs as a user that may write to /tmp alone", async () => {
      const script =
        'id -u; id -un; touch /tmp/x && for f in /x "$PWD/x" /opt/pulumi/x; do touch "$f" 2>&1; done; grep CapEff /proc/self/status';
      const { all } = await container(["-c", script], "sh");
      const [id, name, ...rest] = all.split("\n");
      expect([id, name]).toEqual([String(USER), "rotation"]);
      expect(rest.filter((line) => line.includes("Read-only file system"))).toHaveLength(3);
      expect(rest.at(-1)).toMatch(/CapEff:\s+0000000000000000/);
    });

    it("has what a restart from here needs", async () => {
      for (const program of ["curl", "timeout", "base64", "sha256sum", "pulumi", "kubectl"])
        expect((await container(["-c", `command -v ${program}`], "sh")).exitCode, program).toBe(0);
    });

    it("preflight, adoption, rotation and status: whole updates; no login fails", async () => {
      expect(await rotation("preflight")).toContain("database/password");
      await rotation("run", "--if-due", "--yes");
      expect(await users()).toEqual({ "trading-1": "trader_b" });
      await ground.stack.configure("request", {
        ...{ id: "now", secret: "database/password", rotate: true, reason: "a test" },
      });
      const start = Date.now();
      const rotated = await rotation("run", "--if-due", "--yes");
      const took = Math.round((Date.now() - start) / 1000);
      expect(await users()).toEqual({ "trading-1": "trader_a" });
      // The stack's file can be written in the checkout, not in the image.
      const { projectDir: cwd, env } = ground.stack;
      const removed = await inShell(advised("pulumi config rm request", rotated), { cwd, env });
      expect(removed.code, removed.said).toBe(0);
      await rotation("status");
      await rotation("validate");
      const attempts = (await ground.services[0]?.attempts()) ?? [];
      expect(attempts.filter(({ error }) => error !== undefined)).toEqual([]);
      const { stdout: size } = await execa("docker", ["image", "inspect", "--format", "{{.Size}}", image], {
        env: { DOCKER_HOST: ground.docker.address },
      });
      console.log(
        `image: built in ${seconds} s, ${Math.round(Number(size) / 1e6)} MB, a rotation in ${took} s, ${attempts.length} logins, 0 failed`,
      );
    });
  },
);

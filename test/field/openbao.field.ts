import { createSign, generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAt } from "../../dev/lab/deploy";
import { type OpenBao, requestsOf } from "../../dev/lab/openbao";
import { poll } from "../../dev/lab/poll";
import { withoutDebian } from "./ground/debian";
import { allowRestart } from "./ground/machine";
import { type Ground, startGround, type Tenant } from "./ground/platform";

const missing = await withoutDebian();
const NAMESPACE = "trading/prod";
const MOUNT = "kv";

/** Signs as a CI system does. */
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
function jwt(subject: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const body = `${part({ alg: "RS256", typ: "JWT" })}.${part({ sub: subject, aud: "rotation", iat: now, exp: now + 3600 })}`;
  return `${body}.${createSign("RSA-SHA256").update(body).sign(privateKey, "base64url")}`;
}

/** A namespace below another with a mount of its own, in which the pipeline logs in with a token of its CI system. */
async function tenant(vault: Ground["vault"], tokenFile: string): Promise<Tenant> {
  const [outer = "", inner = ""] = NAMESPACE.split("/");
  await vault.request("POST", `sys/namespaces/${outer}`, {});
  await vault.request("POST", `${outer}/sys/namespaces/${inner}`, {});
  const request: OpenBao["request"] = (method, path, body) => vault.request(method, `${NAMESPACE}/${path}`, body);
  await request("POST", `sys/mounts/${MOUNT}`, { type: "kv", options: { version: "2" } });
  await poll(() => request("GET", `${MOUNT}/config`), { what: "KV v2 in the namespace", limitMs: 60_000 });
  await request("POST", "sys/auth/jwt", { type: "jwt" });
  const key = publicKey.export({ type: "spki", format: "pem" });
  await request("POST", "auth/jwt/config", { jwt_validation_pubkeys: [key] });
  await request("POST", "auth/jwt/role/rotation", {
    ...{ role_type: "jwt", user_claim: "sub", bound_audiences: ["rotation"], bound_subject: "repo:desk/platform" },
    ...{ token_policies: ["pipeline"], token_ttl: "20m" },
  });
  return {
    vault: { address: vault.address, mount: MOUNT, ...requestsOf(request, MOUNT) },
    namespace: NAMESPACE,
    config: {
      ...{ kind: "vault", address: vault.address, namespace: NAMESPACE, mount: MOUNT },
      auth: { method: "jwt", role: "rotation", tokenFile },
    },
  };
}

describe.skipIf(missing !== undefined)(
  `OpenBao with a namespace, login by JWT and an audit device${missing ? `: ${missing}` : ""}`,
  () => {
    let ground: Ground;
    let folder: string;
    let token: string;
    let seat: Tenant;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "field-jwt-"));
      token = join(folder, "token");
      await writeFile(token, jwt("repo:desk/platform"), { mode: 0o600 });
      ground = await startGround({
        tenant: async (vault) => {
          seat = await tenant(vault, token);
          return seat;
        },
        services: {
          "signal-service": { hosts: ["trading-1"], config: { restart: "sudo -n systemctl restart signal-service" } },
        },
      });
      await allowRestart(ground.machines[0], "signal-service");
    });
    afterAll(async () => {
      await ground?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const up = () => ground.stack.pulumi(["up", "--yes", "--skip-preview"]);
    /** Every password that the store has held, and the tokens by which the pipeline logged in. */
    const secrets = new Set<string>();
    const note = async () => {
      secrets.add(String((await seat.vault.getSecret("paper/database/password"))?.data.value));
      secrets.add(await readFile(token, "utf8"));
    };
    const done = async () => {
      await note();
      const { exitCode, stdout, stderr } = await up();
      expect(exitCode, stdout + stderr).toBe(0);
      await note();
    };

    it("a token of another repository is refused, and nothing is changed", async () => {
      await writeFile(token, jwt("repo:others/platform"));
      const { exitCode, stdout, stderr } = await up();
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toMatch(/by jwt at auth\/jwt in the namespace trading\/prod fails: .*invalid subject/);
      expect(await ground.services[0]?.users()).toEqual({ "trading-1": "trader" });
      await writeFile(token, jwt("repo:desk/platform"));
    });

    it("adopts, rotates, rolls back and revokes in the namespace; the audit log has no secret in plain", async () => {
      await done();
      await ground.stack.configure("lab", clockAt(89));
      await done();
      await ground.stack.configure("request", {
        ...{ id: "back", secret: "database/password", activate: 1, reason: "a test" },
      });
      await done();
      expect(await ground.services[0]?.users()).toEqual({ "trading-1": "trader_b" });
      await ground.stack.configure("lab", clockAt(91));
      await done();
      await ground.stack.configure("lab", clockAt(92));
      await done();
      const { rows } = await ground.postgres.query(
        "select rolname from pg_roles where rolname ~ '^trader' and rolcanlogin",
      );
      expect(rows).toEqual([{ rolname: "trader_a" }]);
      const attempts = (await ground.services[0]?.attempts()) ?? [];
      expect(attempts.filter(({ error }) => error !== undefined)).toEqual([]);
      const audit = await readFile((ground.vault as OpenBao).auditFile, "utf8");
      const writes = audit
        .split("\n")
        .filter((line) => line.includes(`"path":"${MOUNT}/data/paper/database/password"`));
      expect(writes.length).toBeGreaterThan(4);
      expect(secrets.size).toBeGreaterThan(4);
      for (const secret of secrets) expect(audit.includes(secret)).toBe(false);
      console.log(
        `OpenBao: ${attempts.length} logins, 0 failed; ${audit.split("\n").length - 1} entries of the audit log, ` +
          `none with one of ${secrets.size} secrets`,
      );
    });
  },
);

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { advised } from "../advice/table";
import { fine, rotation, unwrapped } from "./cli-support";
import { auditRows, setDay, setRequest, stateFile, stateOf, UNCHANGED, useBench } from "./harness";
import { ciSystem, kubernetes } from "./vault-identities";

/** Vault's own token takes precedence: none of it here. */
const NO_TOKEN = { VAULT_TOKEN: "" };

describe.each(["alternating-users", "vault-static"] as const)(
  "a run that logs in to Vault by itself (%s)",
  (strategy) => {
    const vault = { login: "vault_admin", creds: "database/static-creds/trader" };
    const databases = [{ name: "trader", role: "trader", secretName: "database/password", vault }];
    const isStatic = strategy === "vault-static";
    const bench = useBench({
      strategies: { "database/password": strategy },
      ...(isStatic ? { adopt: false, labOptions: { databases } } : {}),
    });

    const up = async (command: "up" | "preview" = "up", env: Readonly<Record<string, string>> = {}) => {
      const args = command === "up" ? ["up", "--yes", "--skip-preview"] : ["preview", "--diff"];
      const { exitCode, stdout, stderr } = await bench().stack.pulumi(args, { env: { ...NO_TOKEN, ...env } });
      return { exitCode, stdout, text: unwrapped(stdout + stderr) };
    };
    /** The tokens of the role that Vault still takes. */
    const alive = async () => {
      const { request } = bench().lab.openbao;
      const listed = (await request("LIST", "auth/token/accessors")).data as { keys: string[] };
      const found = listed.keys.map(async (accessor) => {
        const answer = await request("POST", "auth/token/lookup-accessor", { accessor }).catch(() => undefined);
        const { path = "" } = (answer?.data ?? {}) as { path?: string };
        return /^auth\/(approle|jwt|kubernetes)\//.test(path) ? [accessor] : [];
      });
      return (await Promise.all(found)).flat().length;
    };
    const allRevoked = () => expect.poll(alive, { timeout: 30_000 }).toBe(0);

    it("logs in by AppRole once, and the token is revoked: after `pulumi up`, a preview and `rotation run`", async () => {
      const { lab, stack } = bench();
      const { request } = lab.openbao;
      await request("POST", "sys/auth/approle", { type: "approle" });
      await request("POST", "auth/approle/role/rotation", {
        ...{ token_policies: ["pipeline"], token_ttl: "20m", token_max_ttl: "1h" },
      });
      const { role_id } = (await request("GET", "auth/approle/role/rotation/role-id")).data as { role_id: string };
      const secretId = async (more: object = {}) =>
        ((await request("POST", "auth/approle/role/rotation/secret-id", more)).data as { secret_id: string }).secret_id;
      await stack.configure("store", { kind: "vault", auth: { method: "approle", roleId: role_id } });
      // One login an update: the steps, and the plugin, get the token of the program.
      await stack.configureSecret("vaultSecretId", await secretId({ num_uses: 1 }));

      const first = await up();
      expect(first.exitCode, first.text).toBe(0);
      expect((await stateOf(bench()))?.step.action).toBe("ADOPT");
      await allRevoked();

      await setRequest(bench(), { id: "used-up", rotate: true });
      const usedUp = await up();
      expect(usedUp.exitCode).not.toBe(0);
      expect(usedUp.text).toMatch(
        /the login to Vault by approle at auth\/approle fails: .*pulumi config set --secret vaultSecretId/,
      );

      // Its stdin is the secret id.
      const command = advised("pulumi config set vaultSecretId", usedUp.text)
        .replace(/^pulumi /, "")
        .split(" ");
      const set = await stack.pulumi([...command, "--stack", stack.name], { input: await secretId(), env: NO_TOKEN });
      expect(set.exitCode, set.stderr).toBe(0);
      await fine(bench(), ["run", "--yes"], { env: NO_TOKEN });
      await allRevoked();
      expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "ROTATE", status: "SUCCESS" });
      await fine(bench(), ["validate"], { env: NO_TOKEN });
      await fine(bench(), ["status"], { env: NO_TOKEN });
      await allRevoked();

      const again = await up();
      expect(again.exitCode, again.text).toBe(0);
      // The plugin has no other way to the run's token than its provider's settings.
      if (!isStatic) expect(again.stdout).toMatch(UNCHANGED);
      const preview = await up("preview");
      expect(preview.exitCode, preview.text).toBe(0);
      expect(preview.text).not.toMatch(/hvs\.|s\.[A-Za-z0-9]{20}/);
      await allRevoked();
    });

    /** The stack logs in by this method, whose credential is not in the config. */
    const logInBy = async (auth: object) => {
      await bench().stack.configure("vaultSecretId", undefined);
      await bench().stack.configure("store", { kind: "vault", auth });
    };
    /** The credential of a login is in nothing that a run leaves. */
    const isNowhere = async (token: string, ...texts: string[]) => {
      const signature = token.split(".")[2] ?? "";
      expect(signature.length).toBeGreaterThan(100);
      texts.push(await readFile(stateFile(bench()), "utf8"), JSON.stringify(await auditRows(bench())));
      for (const text of texts) expect(text).not.toContain(signature);
    };

    // The way to a token is the same for both: a kind takes what it gets.
    it.skipIf(isStatic)("logs in by a JWT of the CI system, from a variable", async () => {
      const ci = await ciSystem(bench().lab.openbao.request);
      await logInBy({ method: "jwt", role: "rotation", tokenVariable: "CI_JWT" });
      const token = ci.token();
      const env = { CI_JWT: token };

      await setRequest(bench(), { id: "by-jwt", rotate: true });
      for (const [wrong, words] of [
        [ci.token({ aud: "https://other.test" }), /audience/],
        [ci.token({}, -300), /expired/],
        [ci.token({ iss: "https://other.test" }), /issuer|iss/],
        ["no.j.wt", /./],
      ] as const) {
        const refused = await rotation(bench(), ["preflight"], { env: { ...NO_TOKEN, CI_JWT: wrong } });
        const said = unwrapped(refused.stdout + refused.stderr);
        expect(refused.exitCode, said).toBe(1);
        expect(said).toMatch(
          /the login to Vault by jwt at auth\/jwt fails: .*Check store\.auth\.role, and what the role/,
        );
        expect(said).toMatch(words);
        expect(said).not.toContain(wrong);
      }
      const none = await up();
      expect(none.exitCode).not.toBe(0);
      expect(none.text).toMatch(
        /no token to log in to Vault with: expected it in CI_JWT, as store\.auth\.tokenVariable says/,
      );

      const preview = await up("preview", env);
      expect(preview.exitCode, preview.text).toBe(0);
      await allRevoked();
      const done = await up("up", env);
      expect(done.exitCode, done.text).toBe(0);
      await allRevoked();
      expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "ROTATE", status: "SUCCESS" });

      await setRequest(bench(), { id: "by-jwt-again", rotate: true });
      const ran = await fine(bench(), ["run", "--yes"], { env: { ...NO_TOKEN, ...env } });
      await allRevoked();
      await isNowhere(token, preview.text, done.text, ran);
    });

    it.skipIf(isStatic)("logs in by the pod's service account, from its file", async () => {
      const { stack, lab } = bench();
      const cluster = await kubernetes(lab.openbao.request);
      try {
        const tokenFile = join(stack.projectDir, "..", "service-account-token");
        await logInBy({ method: "kubernetes", role: "rotation", tokenFile });
        await setRequest(bench(), { id: "by-pod", rotate: true });
        const missing = await up();
        expect(missing.exitCode).not.toBe(0);
        expect(missing.text).toMatch(/no token to log in to Vault with: store\.auth\.tokenFile: ENOENT/);
        await writeFile(tokenFile, cluster.token(false), { mode: 0o600 });
        const refused = await rotation(bench(), ["preflight"], { env: NO_TOKEN });
        expect(refused.exitCode).toBe(1);
        expect(unwrapped(refused.stdout + refused.stderr)).toMatch(
          /the login to Vault by kubernetes at auth\/kubernetes fails: .*Check store\.auth\.role, and the service account/,
        );

        const token = cluster.token();
        await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
        const before = cluster.asked.length;
        const done = await up();
        expect(done.exitCode, done.text).toBe(0);
        await allRevoked();
        // One login for the program, its steps and the plugin.
        expect(cluster.asked.slice(before)).toEqual(["/apis/authentication.k8s.io/v1/tokenreviews"]);
        expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "ROTATE", status: "SUCCESS" });
        const ran = await fine(bench(), ["run", "--yes"], { env: NO_TOKEN });
        await allRevoked();
        await isNowhere(token, done.text, ran);
      } finally {
        cluster.stop();
      }
    });

    it.skipIf(isStatic)("reaches the database, with the plugin too, as a service of pg_service.conf says", async () => {
      const { stack, lab } = bench();
      const file = join(stack.projectDir, `Pulumi.${stack.name}.yaml`);
      const { config } = parse(await readFile(file, "utf8")) as { config: Record<string, object[]> };
      const secrets = config["secret-rotation:secrets"] ?? [];
      const named = secrets.map((secret) => ({ ...secret, database: { service: "trader" } }));
      const { PGUSER = "", ...env } = { ...stack.env, PGSERVICEFILE: join(stack.projectDir, "services") };
      const service = (host: string) =>
        `[trader]\nhost=${host}\nport=${lab.postgres.port}\ndbname=trader\nuser=${PGUSER}\nsslmode=prefer\n`;
      const run = (...args: string[]) => stack.pulumi(args, { env: { ...env, PGUSER: "nobody" } });
      await stack.configure("secrets", named);
      await stack.configure("audit", { service: "trader" });

      const none = await run("preview");
      expect(none.exitCode).not.toBe(0);
      expect(unwrapped(none.stdout + none.stderr)).toMatch(
        /secrets\[0\]\.database\.service: expected a file that can be read, found \S+services: ENOENT/,
      );
      await writeFile(env.PGSERVICEFILE, service("localhost"));
      await setRequest(bench(), { id: "by-service", rotate: true });
      const done = await run("up", "--yes", "--skip-preview");
      expect(done.exitCode, done.stdout + done.stderr).toBe(0);
      expect((await auditRows(bench())).at(-1)).toMatchObject({ action: "ROTATE", status: "SUCCESS" });
      const state = JSON.parse(await readFile(stateFile(bench()), "utf8")) as {
        checkpoint: { latest: { resources: { type: string; inputs?: object }[] } };
      };
      const provider = state.checkpoint.latest.resources.find(({ type }) => type === "pulumi:providers:postgresql");
      expect(provider?.inputs).toMatchObject({ host: "localhost", username: PGUSER, sslmode: "prefer" });
      await stack.configure("secrets", secrets);
      await stack.configure("audit", undefined);
    });

    it("a token that ends too soon, and one that Vault does not take, stop the preflight", async () => {
      const { request } = bench().lab.openbao;
      const { role_id } = (await request("GET", "auth/approle/role/rotation/role-id")).data as { role_id: string };
      const { secret_id } = (await request("POST", "auth/approle/role/rotation/secret-id")).data as {
        secret_id: string;
      };
      await bench().stack.configure("store", { kind: "vault", auth: { method: "approle", roleId: role_id } });
      await bench().stack.configureSecret("vaultSecretId", secret_id);
      await request("POST", "auth/approle/role/rotation", { token_ttl: "20s", token_max_ttl: "20s" });
      await setDay(bench(), 100);
      await setRequest(bench(), { id: "soon", rotate: true });
      const soon = await up();
      expect(soon.exitCode).not.toBe(0);
      expect(soon.text).toMatch(
        /the token ends in \d+ s; expected at least \d+ minutes, .*set token_ttl=\d+m .* on the role of store\.auth/,
      );
      await allRevoked();
      await request("POST", "auth/approle/role/rotation", {
        token_ttl: "20m",
        token_max_ttl: "1h",
        token_policies: ["default"],
      });
      const poor = await rotation(bench(), ["preflight"], { env: NO_TOKEN });
      expect(poor.exitCode).toBe(1);
      expect(unwrapped(poor.stdout + poor.stderr)).toMatch(/the token may (?:not|read nothing)/);
      await allRevoked();
    });
  },
);

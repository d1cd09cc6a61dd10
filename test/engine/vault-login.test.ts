import { describe, expect, it } from "vitest";
import { advised } from "../advice/table";
import { fine, rotation, unwrapped } from "./cli-support";
import { auditRows, setDay, setRequest, stateOf, UNCHANGED, useBench } from "./harness";

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

    const up = async (command: "up" | "preview" = "up") => {
      const args = command === "up" ? ["up", "--yes", "--skip-preview"] : ["preview", "--diff"];
      const { exitCode, stdout, stderr } = await bench().stack.pulumi(args, { env: NO_TOKEN });
      return { exitCode, stdout, text: unwrapped(stdout + stderr) };
    };
    /** The tokens of the role that Vault still takes. */
    const alive = async () => {
      const { request } = bench().lab.openbao;
      const listed = (await request("LIST", "auth/token/accessors")).data as { keys: string[] };
      const found = listed.keys.map(async (accessor) => {
        const answer = await request("POST", "auth/token/lookup-accessor", { accessor }).catch(() => undefined);
        return (answer?.data as { display_name?: string } | undefined)?.display_name === "approle" ? [accessor] : [];
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

    it("a token that ends too soon, and one that Vault does not take, stop the preflight", async () => {
      const { request } = bench().lab.openbao;
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

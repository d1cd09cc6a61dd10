import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { checkLeases, type LeasesInput } from "../../../kinds/vault-dynamic/preflight";
import { MOUNT_DESCRIPTION, type VaultPasswordConfig } from "../../../kinds/vault-engine/engine";
import { seeLeftMounts } from "../../../kinds/vault-engine/left-mounts";
import { checkVaultRole } from "../../../kinds/vault-static/preflight";
import { vaultOf } from "../../../stores";
import { testFolder } from "../lab/folder";

const DSN = "postgresql://{{username}}:{{password}}@db:5432/trader?sslmode=require";
const database = { host: "db", port: 5432, database: "trader", sslmode: "require" as const, role: "trader" };
/** As the config describes a connection; what OpenBao keeps of one is asserted through what the preflight says. */
const connection = { name: "trader", username: "vault_admin", url: DSN, roles: ["orchestrator-trader"] };

describe("before Vault's database engine is described for the first time", () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let openbao: OpenBao;

  beforeAll(async () => {
    folder = await testFolder();
    const tools = await resolveToolchain({ need: ["openbao"] });
    openbao = await startOpenBao({ dir: folder.dir, bin: tools.openbao?.path ?? "" });
    vi.stubEnv("VAULT_TOKEN", openbao.rootToken);
  });
  afterAll(async () => {
    await openbao?.stop();
    await folder?.remove();
    vi.unstubAllEnvs();
  });

  const client = () => vaultOf({ kind: "vault", address: openbao.address, mount: "secret", environment: "paper" });
  const leases = (mount: string, more: Partial<LeasesInput["engine"]> = {}, taken = false) =>
    checkLeases(client(), {
      engine: { mount, createMount: true, connection, ...more },
      roles: ["orchestrator-trader"],
      database,
      taken,
    });
  const mounted = (path: string, type: string, description = "") =>
    openbao.request("POST", `sys/mounts/${path}`, { type, description });
  const connected = (mount: string, more: object = {}) =>
    openbao.request("POST", `${mount}/config/trader`, {
      plugin_name: "postgresql-database-plugin",
      verify_connection: false,
      username: "vault_admin",
      password: "own-login-of-vault",
      connection_url: DSN,
      allowed_roles: ["orchestrator-trader"],
      ...more,
    });

  it("nothing there is fine, and what will be made is said", async () => {
    expect(await leases("database")).toBe("database/creds/orchestrator-trader will be made");
  });

  it("a mount of others is not adopted unasked, and one of another engine not at all", async () => {
    await mounted("theirs", "database", "of the platform team");
    await expect(leases("theirs")).rejects.toThrow(
      "the mount theirs exists already and this program did not make it: to use it as it is, set vault.createMount: false",
    );
    expect(await leases("theirs", { createMount: false })).toContain("will be made");
    await mounted("files", "kv");
    await expect(leases("files")).rejects.toThrow("found one of kv: name another in vault.mount");
  });

  it("an update that died, or the secret before, left what is ours: it is gone on with", async () => {
    await mounted("ours", "database", MOUNT_DESCRIPTION);
    await connected("ours");
    expect(await leases("ours")).toContain("will be made");
  });

  it.each<[string, object, string]>([
    ["login", { username: "their_admin" }, "it logs in as their_admin"],
    ["database", { connection_url: DSN.replace("@db:", "@other:") }, "it names another database"],
    ["role", { allowed_roles: ["orchestrator-trader", "reports"] }, "it allows reports"],
    ["role of any name", { allowed_roles: ["*"] }, "it allows *"],
  ])("a connection with another %s is not overwritten", async (what, theirs, said) => {
    const mount = `has-another-${what.replaceAll(" ", "-")}`;
    await mounted(mount, "database", MOUNT_DESCRIPTION);
    await connected(mount, theirs);
    const message = `the connection ${mount}/config/trader exists already and is another (${said}), and would be overwritten`;
    await expect(leases(mount)).rejects.toThrow(message);
    const engine = { mount, createMount: true, connection };
    const role = { mount, name: "trader", engine, schedule: false, database, taken: false };
    await expect(checkVaultRole(client(), role)).rejects.toThrow(message);
  });

  it("later what an earlier update made must be there, and the command that makes it again is named", async () => {
    await expect(leases("ours", {}, true)).rejects.toThrow(
      "Vault has no role ours/roles/orchestrator-trader any more: `pulumi up --refresh` makes it",
    );
  });

  it("of the mounts that the stack does not know, those are taken over that are ours", async () => {
    const secret = (name: string, mount: string, createMount = true) => ({
      kind: "postgres-password",
      strategy: "vault-static",
      name,
      vault: { mount, createMount },
    });
    const secrets = [
      secret("left", "left-here"),
      secret("never-made", "nowhere"),
      secret("foreign", "foreign"),
      secret("as-it-is", "as-it-is", false),
      secret("known", "known"),
      secret("beside-known", "known"),
    ];
    await Promise.all([
      mounted("left-here", "database", MOUNT_DESCRIPTION),
      mounted("foreign", "database", "of the platform team"),
      mounted("as-it-is", "database", MOUNT_DESCRIPTION),
      mounted("known", "database", MOUNT_DESCRIPTION),
    ]);
    const look = (address: string) =>
      seeLeftMounts(secrets as unknown as VaultPasswordConfig[], (name) => name === "known", {
        kind: "vault",
        address,
        mount: "secret",
        environment: "paper",
      });
    expect(await look(openbao.address)).toEqual(new Set(["left-here"]));
    expect(await look("http://127.0.0.1:1")).toEqual(new Set());
  });
});

import { describe, expect, it } from "vitest";
import type { StackStatus } from "../../cli/operate/read-status";
import { poll } from "../../dev/lab/poll";
import type { Finding } from "../../kinds/kind-operations";
import { advised } from "../advice/table";
import { fine, json, rotation } from "./cli-support";
import { auditRows, type Bench, login, refusedUp, setRequest, stateOf, UNCHANGED, up } from "./harness";
import { MATRIX } from "./matrix";
import { READERS, useVaultBench } from "./vault-support";

const ROLE = "database/static-roles/trader";

interface Answer {
  readonly data: { readonly last_vault_rotation: string; readonly password: string };
}

const lastRotation = async ({ lab }: Bench) =>
  ((await lab.openbao.request("GET", ROLE)) as unknown as Answer).data.last_vault_rotation;

/** What the services get from Vault. */
const handedOut = async ({ lab }: Bench) =>
  ((await lab.openbao.request("GET", "database/static-creds/trader")) as unknown as Answer).data;

/** Every service that reads the password works with what Vault hands out now. */
async function expectServices(bench: Bench): Promise<void> {
  const { last_vault_rotation } = await handedOut(bench);
  for (const name of READERS) {
    expect(await bench.lab.health(name)).toMatchObject({
      status: "healthy",
      database: { user: "trader", version: last_vault_rotation },
    });
  }
}

describe("a password that Vault rotates itself, through its life by plain `pulumi up`", { timeout: 600_000 }, () => {
  const vault = { login: "vault_admin", creds: "database/static-creds/trader" };
  const bench = useVaultBench("vault-static", vault, { config: { lab: {} } });

  it("takes the role over, rolls Vault's rotations out, forces one once, and changes nothing else", async () => {
    const { lab, stack } = bench();
    const adopted = String(lab.adopted["database/password"]);
    await up(bench());
    const first = await handedOut(bench());
    expect(await login(bench(), "trader", first.password)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("28P01");
    expect(await stateOf(bench())).toMatchObject({
      slots: [1, -1],
      vaultRotation: first.last_vault_rotation,
      step: { action: "ADOPT" },
    });
    await expectServices(bench());
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    // Vault's own rotation, which nobody here asked for.
    await lab.openbao.request("POST", "database/rotate-role/trader", {});
    const own = await lastRotation(bench());
    const preview = await stack.pulumi(["preview"]);
    expect(preview.stdout).toContain(`rotates from generation 1 to 2 (rotated by Vault at ${own})`);
    const { findings } = await json<{ findings: Finding[] }>(bench(), ["diagnose"]);
    expect(findings[0]).toMatchObject({
      cause: "Vault rotated the password, and the services were not restarted since",
      evidence: expect.stringMatching(
        new RegExp(`^last_vault_rotation ${own.replaceAll(".", "\\.")}, ttl [1-9]\\d* s; known`),
      ),
      fixable: true,
    });
    await up(bench());
    expect((await json<{ findings: Finding[] }>(bench(), ["diagnose"])).findings).toEqual([]);
    expect((await json<StackStatus>(bench(), ["status"])).secrets[0]?.vault?.lastRotation).toBe(own);
    expect(await stateOf(bench())).toMatchObject({ slots: [2, -1], vaultRotation: own });
    expect(await lastRotation(bench())).toBe(own);
    await expectServices(bench());
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    await setRequest(bench(), { id: "now", rotate: true, reason: "leaked in a ticket" });
    await up(bench());
    const forced = await lastRotation(bench());
    expect(Date.parse(forced)).toBeGreaterThan(Date.parse(own));
    await expectServices(bench());
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(await lastRotation(bench())).toBe(forced);

    expect((await auditRows(bench())).map(({ action, generation, reason }) => [action, generation, reason])).toEqual([
      ["ADOPT", 1, "first update of this stack"],
      ["ROTATE", 2, `rotated by Vault at ${own}`],
      ["ROTATE", 3, "leaked in a ticket"],
    ]);
    const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
    expect(stdout).not.toContain((await handedOut(bench())).password);
  });

  it("refuses a rollback with what helps, and says in one message that Vault is sealed", async () => {
    await setRequest(bench(), { id: "back", activate: 2 });
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain(MATRIX["vault-static"].vault.noWayBack);
    expect(refusal).toContain("rotation rotate-now database/password");
    await bench().stack.configure("request", undefined);

    await bench().lab.postgres.query("ALTER ROLE trader NOLOGIN");
    const ended = await rotation(bench(), ["preflight"]);
    await bench().lab.postgres.query(advised("sql: LOGIN", ended.stdout));
    await fine(bench(), ["preflight"]);

    await bench().lab.openbao.seal();
    const sealed = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(sealed).toContain("cannot ask Vault when it rotated database/static-roles/trader last");
    expect(sealed).toContain("503: Vault is sealed (sealed or not active: `vault status`); nothing was changed");
    await bench().lab.openbao.unseal();
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("notices what Vault does on its own schedule", async () => {
    const { lab, stack } = bench();
    const before = await lastRotation(bench());
    await lab.openbao.request("POST", ROLE, { username: "trader", db_name: "trader", rotation_period: 5 });
    const own = await poll(
      async () => {
        const now = await lastRotation(bench());
        if (now === before) throw new Error(`Vault rotated last at ${now}`);
        return now;
      },
      { what: "Vault's own rotation", limitMs: 180_000 },
    );
    await lab.openbao.request("POST", ROLE, { username: "trader", db_name: "trader", rotation_period: 7_776_000 });
    expect(Date.parse(own)).toBeGreaterThan(Date.parse(before));
    expect((await stack.pulumi(["preview"])).stdout).toContain("(rotated by Vault at 20");
  });
});

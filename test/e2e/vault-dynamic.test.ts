import { describe, expect, it } from "vitest";
import { startLoad } from "../../lab/load";
import { poll } from "../../lab/poll";
import { auditRows, refusedUp, setDay, setRequest, stateOf, up, useBench } from "./harness";

const SERVICES = ["signal-service", "orchestrator"];

/** What the component calls the role and the policy of a service. */
const lease = (service: string) => ({
  path: `database/creds/${service}-trader`,
  policy: `paper-database-password-${service}`,
});

describe("short-lived logins from Vault for each service, by plain `pulumi up`", () => {
  const bench = useBench({
    labOptions: {
      databases: [
        { name: "trader", role: "trader", secretName: "database/password", vault: { login: "vault_trader" } },
      ],
      services: [
        ...SERVICES.map((name) => ({ name, database: "database/password", lease: lease(name) })),
        { name: "risk-service" },
      ],
    },
    strategies: { "database/password": "vault-dynamic" },
    adopt: false,
  });

  const user = async (service: string) => (await bench().lab.health(service)).database?.user ?? "";
  const users = () => Promise.all(SERVICES.map(user));
  /** Whether a login still exists. */
  const exists = async (name: string) =>
    ((await bench().lab.postgres.query("select from pg_roles where rolname = $1", [name])).rowCount ?? 0) > 0;
  /** A healthy login of the service other than those. */
  const nextUser = (service: string, seen: readonly string[]) =>
    poll(
      async () => {
        const { status, database } = await bench().lab.health(service);
        return status === "healthy" && database?.lease !== undefined && !seen.includes(database.user) && database.user;
      },
      { what: `${service} with another login than ${seen.join(", ")}`, limitMs: 90_000 },
    );

  it("moves the services to leases, has them fetched anew on request, and never fails a login", async () => {
    const { lab } = bench();
    const load = await startLoad(lab, { loginsPerSecond: 40, services: SERVICES });

    const first = await up(bench());
    expect(first.stdout).toContain("database/password: adopts the credential in use and rotates to generation 1");
    for (const service of SERVICES) {
      expect(await lab.health(service)).toMatchObject({
        status: "healthy",
        database: { user: expect.stringMatching(/^v-/), role: "trader", lease: { ttl_seconds: 15 } },
      });
    }
    expect(await stateOf(bench())).toMatchObject({ slots: [1, -1], step: { action: "ADOPT", generation: 1 } });

    // Several leases end meanwhile, and a year passes: nothing is due.
    const [signal, orchestrator] = (await users()) as [string, string];
    await setDay(bench(), 365);
    expect((await up(bench())).stdout).toMatch(/Resources:\n\s+\d+ unchanged/);
    const later = await nextUser("signal-service", [signal]);
    await nextUser("signal-service", [signal, later]);
    await nextUser("orchestrator", [orchestrator]);
    await poll(async () => !(await exists(signal)), { what: "the ended login dropped", limitMs: 60_000 });

    const before = await users();
    await setRequest(bench(), { id: "anew", rotate: true });
    const rotated = await up(bench());
    expect(rotated.stdout).toContain("database/password: rotates from generation 1 to 2 (a test)");
    for (const name of before) expect(await exists(name)).toBe(false);
    for (const name of await users()) expect(before).not.toContain(name);
    expect((await up(bench())).stdout).toMatch(/Resources:\n\s+\d+ unchanged/);

    const { logins } = await load.stop();
    expect(logins.failures).toEqual([]);
    expect(logins.tried).toBeGreaterThan(500);

    const rows = await auditRows(bench());
    expect(rows.map(({ action, generation, status }) => [action, generation, status])).toEqual([
      ["ADOPT", 1, "SUCCESS"],
      ["ROTATE", 2, "SUCCESS"],
    ]);
    expect(rows[1]?.outputs).toMatchObject({
      strategy: "vault-dynamic",
      leases: { defaultTtlSeconds: 15, maxTtlSeconds: 30, paths: { "signal-service": lease("signal-service").path } },
      overrides: [],
    });
  });

  it("recovers from a revoked lease, and refuses to go back to one", async () => {
    const before = await user("signal-service");
    await bench().lab.openbao.request("PUT", `sys/leases/revoke-prefix/${lease("signal-service").path}`, {
      sync: true,
    });
    await nextUser("signal-service", [before]);
    await setRequest(bench(), { id: "back", activate: 1 });
    expect(await refusedUp(bench())).toContain("a lease that has ended cannot be brought back");
  });

  it("says in one message what is wrong when the token may not look at leases, and changes nothing", async () => {
    const { lab } = bench();
    const rows = (await auditRows(bench())).length;
    const token = await lab.openbao.createToken(
      "too-little",
      `path "sys/capabilities-self" { capabilities = ["update"] }`,
    );
    await setRequest(bench(), { id: "again", rotate: true });
    const said = await refusedUp(bench(), { VAULT_TOKEN: token });
    expect(said).toContain("the token may not");
    expect(said).toContain("list, sudo on sys/leases/lookup/database/creds/signal-service-trader/");
    expect((await auditRows(bench())).length).toBe(rows);
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [3, -1] });
  });
});

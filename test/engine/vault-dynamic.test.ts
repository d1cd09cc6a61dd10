import { describe, expect, it } from "vitest";
import type { Report } from "../../audit/report";
import type { StackStatus } from "../../cli/operate/read-status";
import { startLoad } from "../../dev/lab/load";
import { poll } from "../../dev/lab/poll";
import type { Finding } from "../../kinds/kind-operations";
import { advised } from "../advice/table";
import { shell } from "./advice";
import { fine, json, rotation, unwrapped } from "./cli-support";
import { auditRows, refusedUp, setDay, setRequest, stateOf, UNCHANGED, up } from "./harness";
import { MATRIX } from "./matrix";
import { LEASED, leaseOf as lease, READERS, useVaultBench } from "./vault-support";

describe("short-lived logins from Vault for each service, by plain `pulumi up`", () => {
  const services = [...LEASED, { name: "risk-service" }];
  const bench = useVaultBench("vault-dynamic", { login: "vault_trader" }, { services });

  const user = async (service: string) => (await bench().lab.health(service)).database?.user ?? "";
  const users = () => Promise.all(READERS.map(user));
  /** Whether a login still exists. */
  const exists = async (name: string) =>
    ((await bench().lab.postgres.query("select from pg_roles where rolname = $1", [name])).rowCount ?? 0) > 0;
  const revoke = (service: string) =>
    bench().lab.openbao.request("PUT", `sys/leases/revoke-prefix/${lease(service).path}`, { sync: true });
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
    const load = await startLoad(lab, { loginsPerSecond: 5, services: READERS });

    const first = await up(bench());
    expect(first.stdout).toContain("database/password: adopts the credential in use and rotates to generation 1");
    for (const service of READERS) {
      expect(await lab.health(service)).toMatchObject({
        status: "healthy",
        database: { user: expect.stringMatching(/^v-/), role: "trader", lease: { ttl_seconds: 15 } },
      });
    }
    expect(await stateOf(bench())).toMatchObject({ slots: [1, -1], step: { action: "ADOPT", generation: 1 } });

    // Several leases end meanwhile, and a year passes: nothing is due.
    const [signal, orchestrator] = (await users()) as [string, string];
    await setDay(bench(), 365);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    await nextUser("signal-service", [signal]);
    await nextUser("orchestrator", [orchestrator]);
    await poll(async () => !(await exists(signal)), { what: "the ended login dropped", limitMs: 60_000 });

    const before = await users();
    await setRequest(bench(), { id: "anew", rotate: true });
    const rotated = await up(bench());
    expect(rotated.stdout).toContain("database/password: rotates from generation 1 to 2 (a test)");
    for (const name of before) expect(await exists(name)).toBe(false);
    for (const name of await users()) expect(before).not.toContain(name);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    const { logins } = await load.stop({ logins: 100 });
    expect(logins.failures).toEqual([]);

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

  it("is shown by status, validate and report as what it is: never due, never too old", async () => {
    const [status] = (await json<StackStatus>(bench(), ["status"])).secrets;
    expect(status).toMatchObject({
      standing: "ok",
      dueAt: null,
      lease: { defaultTtlSeconds: 15, maxTtlSeconds: 30 },
    });
    expect(unwrapped(await fine(bench(), ["status"]))).toContain(
      "ends after 15s unless it is renewed, after 30s at the",
    );
    const report = JSON.parse(await fine(bench(), ["report", "--last", "400d", "--format", "json"])) as Report;
    expect(report.secrets).toMatchObject([
      { standing: "ok", withinLimit: true, limitAt: null, leaseDays: 30 / 86_400 },
    ]);

    const invalid = await rotation(bench(), ["validate"]);
    expect(invalid.exitCode).toBe(1);
    expect(unwrapped(invalid.stdout)).toContain("trader may still log in with a password that is not rotated");
    await bench().lab.postgres.query(advised("sql: NOLOGIN", invalid.stdout));
    const valid = unwrapped(await fine(bench(), ["validate"]));
    expect(valid).toContain(
      "a login made by Vault works, and was ended: database/creds/signal-service-trader (acts as",
    );
    expect(valid).toMatch(/signal-service holds (a lease|\d+ leases), orchestrator holds/);
  });

  it("recovers from a revoked lease, and refuses to go back to one", async () => {
    const before = await user("signal-service");
    await revoke("signal-service");
    await nextUser("signal-service", [before]);
    const refused = await rotation(bench(), ["rollback", "database/password", "--reason", "x", "--yes"]);
    expect(refused.exitCode).not.toBe(0);
    expect(unwrapped(refused.stdout + refused.stderr)).toContain(MATRIX["vault-dynamic"].vault.noWayBack);
    await setRequest(bench(), { id: "back", activate: 1 });
    expect(await refusedUp(bench())).toContain(MATRIX["vault-dynamic"].vault.noWayBack);
    await bench().stack.configure("request", undefined);
  });

  it("has one message for a lease that is lost for good, and fixes it", async () => {
    expect((await json<{ findings: unknown[] }>(bench(), ["diagnose"])).findings).toEqual([]);
    await bench().lab.openbao.request("DELETE", `sys/policies/acl/${lease("signal-service").policy}`);
    await revoke("signal-service");
    const ill = async () => (await bench().lab.health("signal-service")).status !== "healthy";
    await poll(ill, { what: "signal-service without a login", limitMs: 90_000 });
    const { findings } = await json<{ findings: Finding[] }>(bench(), ["diagnose"]);
    expect(findings).toMatchObject([
      {
        secret: "database/password",
        cause: "signal-service holds no lease of Vault: it was revoked, or ran out and was not renewed",
        evidence: expect.stringContaining("Vault has no lease at database/creds/signal-service-trader; /health says {"),
        command: "systemctl restart signal-service",
        hint: expect.stringContaining("its token may not read database/creds/signal-service-trader"),
      },
    ]);
    await bench().lab.openbao.request("DELETE", "database/roles/signal-service-trader");
    const gone = advised("pulumi up --refresh", (await rotation(bench(), ["diagnose"])).stdout);
    const made = await shell(bench(), `${gone} --yes --skip-preview`);
    expect(made.exitCode, made.stdout + made.stderr).toBe(0);
    await fine(bench(), ["diagnose", "--fix", "--yes"]);
    await nextUser("signal-service", []);
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
    expect(said).toContain("list, sudo sys/leases/lookup/database/creds/signal-service-trader/");
    expect((await auditRows(bench())).length).toBe(rows);
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [3, -1] });
  });
});

import { describe, expect, it } from "vitest";
import { labConfig } from "../../dev/lab/deploy";
import { startLoad } from "../../dev/lab/load";
import { DEFAULT_DATABASES, DEFAULT_SERVICES } from "../../dev/lab/platform";
import { pipelinePolicy } from "../../dev/lab/policies";
import { auditRows, login, refusedUp, setDay, setRequest, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { trailOf } from "./leak-hunt";
import { previewed, previewsRotation, restartsOf } from "./preview-support";
import { verifiers } from "./role-support";

const SECOND = { name: "research", role: "analyst", secretName: "research/password" };

describe("a password with alternating users, through its life by plain `pulumi up`", () => {
  const bench = useBench({
    only: ["database/password"],
    labOptions: {
      databases: [...DEFAULT_DATABASES, SECOND],
      services: [...DEFAULT_SERVICES, { name: "report-service", database: SECOND.secretName }],
    },
    huntLeaks: true,
  });
  const trail = trailOf(bench);

  it("has the privileges of deploy/ and no others, and is told which one is missing if one is taken away", async () => {
    const { lab, stack } = bench();
    expect(lab.env.PGUSER).toBe("rotation");
    await lab.postgres.query("REVOKE ADMIN OPTION FOR trader FROM rotation");
    expect(await refusedUp(bench())).toContain(
      'rotation may not change the role trader: expected ADMIN on it (`GRANT "trader" TO "rotation" WITH ADMIN TRUE',
    );
    await lab.postgres.query("GRANT trader TO rotation WITH ADMIN TRUE");

    const whole = pipelinePolicy({ mount: lab.openbao.mount, environment: lab.environment });
    const less = whole.replace('["create", "read", "update"]', '["create", "read"]');
    await lab.openbao.request("PUT", "sys/policies/acl/pipeline", { policy: less });
    expect(await refusedUp(bench())).toContain("the token may not update secret/data/paper/database/");
    await lab.openbao.request("PUT", "sys/policies/acl/pipeline", { policy: whole });
    expect(await stateOf(bench())).toBeUndefined();

    const { rows } = await lab.postgres.query(
      "SELECT rolsuper, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = 'rotation'",
    );
    expect(rows).toEqual([{ rolsuper: false, rolcreatedb: false, rolbypassrls: false, rolreplication: false }]);
    expect(stack.env.VAULT_TOKEN).not.toBe(lab.openbao.rootToken);
  });

  it("adopts the role in use, rotates, ends the old login, rolls back, and never fails a login", async () => {
    const { lab } = bench();
    const adopted = String(lab.adopted["database/password"]);
    const load = await startLoad(lab, { loginsPerSecond: 5, services: ["signal-service", "orchestrator"] });

    await trail.up();
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1, step: { action: "ADOPT" } });
    const first = await stored(bench(), "database/password");
    expect(await stored(bench(), "database/username")).toMatchObject({ value: "trader_b" });
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("ok");

    await setDay(bench(), 89);
    await previewsRotation(bench(), "alternating-users", () => trail.previews());
    await trail.up();
    const second = await stored(bench(), "database/password");
    expect(second.version).toBe(first.version + 1);
    expect(second.value).not.toBe(first.value);
    expect(await login(bench(), "trader_a", second.value)).toBe("ok");
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");
    expect(await login(bench(), "trader", adopted)).toBe("28000");
    for (const service of ["signal-service", "orchestrator"]) {
      expect(await lab.health(service)).toMatchObject({
        status: "healthy",
        secrets_backend: "vault",
        database: { user: "trader_a" },
      });
    }

    const again = await up(bench());
    expect(again.stdout).toMatch(UNCHANGED);

    await setDay(bench(), 90);
    await up(bench());
    expect(await login(bench(), "trader_b", first.value)).toBe("28000");

    await trail.refusal();
    await setRequest(bench(), { id: "back", activate: 1 });
    await trail.up();
    expect(await stored(bench(), "database/password")).toMatchObject({ value: first.value });
    expect(await stored(bench(), "database/username")).toMatchObject({ value: "trader_b" });
    expect(await login(bench(), "trader_b", first.value)).toBe("ok");
    expect(await lab.health("signal-service")).toMatchObject({ database: { user: "trader_b" } });

    await up(bench());
    const { logins } = await load.stop({ logins: 100 });
    expect(logins.failures).toEqual([]);
    const restarted = lab.hosts.flatMap(({ restarts }) => restarts.map(({ service }) => service));
    expect([...new Set(restarted)].sort()).toEqual(["orchestrator", "signal-service"]);

    const rows = await auditRows(bench());
    expect(rows.map(({ action, generation, status }) => [action, generation, status])).toEqual([
      ["ADOPT", 1, "SUCCESS"],
      ["ROTATE", 2, "SUCCESS"],
      ["REVOKE", 1, "SUCCESS"],
      ["ROLLBACK", 1, "SUCCESS"],
    ]);
  });

  it("is not touched by a second database that is added later", async () => {
    const { lab, stack } = bench();
    const first = { state: await stateOf(bench()), value: await stored(bench(), "database/password") };
    await stack.configure("secrets", labConfig({ lab }).secrets);
    await stack.configureSecret("adopted", JSON.stringify(lab.adopted));
    for (const line of await previewed(bench())) expect(line).toMatch(/^\w+ research-password/);
    const restarts = restartsOf(bench());
    await up(bench());
    expect(
      lab.hosts
        .flatMap((host) => host.restarts)
        .slice(restarts)
        .map(({ service }) => service),
    ).toEqual(["report-service"]);
    expect({ state: await stateOf(bench()), value: await stored(bench(), "database/password") }).toEqual(first);
    const { value } = await stored(bench(), SECOND.secretName);
    expect(await login(bench(), "analyst_b", value, "research")).toBe("ok");
    expect(await lab.health("report-service")).toMatchObject({ status: "healthy", database: { user: "analyst_b" } });
    const rows = (await auditRows(bench())).map(({ secret_name, action }) => `${secret_name} ${action}`);
    expect(rows.slice(4)).toEqual(["research/password ADOPT"]);
  });

  it("keeps its password, and restarts nothing, if the config asks for no other generation", async () => {
    const { lab, stack } = bench();
    expect(await previewed(bench(), "--expect-no-changes")).toEqual([]);
    const [passwords, value, rows] = [
      await verifiers(bench()),
      await stored(bench(), "database/password"),
      await auditRows(bench()),
    ];
    const restarts = restartsOf(bench());
    const { hosts, services } = lab.config;
    const longer = Object.entries(services).map(([name, service]) => [name, { ...service, timeout: "45s" }]);
    const elsewhere = Object.entries(hosts).map(([name, host]) => [name, { ...host, address: "localhost" }]);
    await stack.configure("services", Object.fromEntries(longer));
    await stack.configure("policy", { maxAge: "60d", gracePeriod: "48h" });
    await stack.configure("hosts", Object.fromEntries(elsewhere));
    const changes = await previewed(bench());
    expect(changes.length).toBeGreaterThan(0);
    for (const line of changes) expect(line).toMatch(/^update /);
    await up(bench());
    expect(restartsOf(bench())).toBe(restarts);
    expect(await verifiers(bench())).toEqual(passwords);
    expect(await stored(bench(), "database/password")).toEqual(value);
    expect(await auditRows(bench())).toEqual(rows);
    expect(await previewed(bench(), "--expect-no-changes")).toEqual([]);

    // Encryption on the way to the database is not the lab's, so these two are looked at alone.
    const secrets = labConfig({ lab }).secrets as { database: object }[];
    await stack.configure(
      "secrets",
      secrets.map((secret) => ({ ...secret, database: { ...secret.database, sslmode: "require" } })),
    );
    const ports = Object.entries(hosts).map(([name, host]) => [name, { ...host, port: 2222 }]);
    await stack.configure("hosts", Object.fromEntries(ports));
    const lines = await previewed(bench());
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^update /);
    expect(lines.filter((line) => /slot-|role-|store-(write|unchanged)/.test(line))).toEqual([]);
  });

  it("leaves no credential in anything that Pulumi wrote or printed", () => trail.leadsNowhere());
});

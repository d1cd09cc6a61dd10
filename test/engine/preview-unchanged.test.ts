import { describe, expect, it } from "vitest";
import { auditRows, stored, up, useBench } from "./harness";
import { previewed, restartsOf } from "./preview-support";
import { verifiers } from "./role-support";

describe("a config that asks for no other generation", () => {
  const bench = useBench();

  it("replaces no password and restarts nothing", { timeout: 600_000 }, async () => {
    const { lab, stack } = bench();
    await up(bench());
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
    for (const line of await previewed(bench())) expect(line).toMatch(/^update /);
    await up(bench());
    expect(restartsOf(bench())).toBe(restarts);
    expect(await verifiers(bench())).toEqual(passwords);
    expect(await stored(bench(), "database/password")).toEqual(value);
    expect(await auditRows(bench())).toEqual(rows);
    expect(await previewed(bench(), "--expect-no-changes")).toEqual([]);

    // Encryption on the way to the database is not the lab's, so these two are looked at alone.
    const secrets = JSON.parse((await stack.pulumi(["config", "get", "secrets"])).stdout) as { database: object }[];
    await stack.configure(
      "secrets",
      secrets.map((secret) => ({ ...secret, database: { ...secret.database, sslmode: "require" } })),
    );
    const ports = Object.entries(hosts).map(([name, host]) => [name, { ...host, port: 2222 }]);
    await stack.configure("hosts", Object.fromEntries(ports));
    const lines = await previewed(bench());
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^update /);
    expect(lines.filter((line) => /slot-|role-|database-username \[|database-password \[/.test(line))).toEqual([]);
  });
});

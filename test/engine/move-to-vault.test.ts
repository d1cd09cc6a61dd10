import { expect, it } from "vitest";
import { labConfig } from "../../dev/lab/deploy";
import { startLoad } from "../../dev/lab/load";
import { fine } from "./cli-support";
import { auditRows, login, stateOf, stored, UNCHANGED, up, useBench } from "./harness";
import { databaseOfVault, READERS } from "./vault-support";

const SECRET = "database/password";

/** As docs/vault.md describes it: "Moving from alternating users". */
const bench = useBench({
  rotates: "both",
  labOptions: { databases: [databaseOfVault({ login: "vault_admin", creds: "database/static-creds/trader" })] },
});

it("from alternating users to a password that Vault rotates, without one failed login", async () => {
  const { lab, stack } = bench();
  await up(bench());
  const { value } = await stored(bench(), SECRET);
  const { value: user } = await stored(bench(), "database/username");
  const load = await startLoad(lab, { loginsPerSecond: 5, services: READERS });

  const without = labConfig({ lab, rotates: "both", only: [] });
  await stack.configure("audit", without.audit);
  await stack.configureSecret("adopted", "{}");
  await stack.configure("secrets", without.secrets);
  await up(bench());
  expect(await stateOf(bench())).toBeUndefined();
  expect(await login(bench(), user, value)).toBe("ok");
  expect((await stored(bench(), SECRET)).value).toBe(value);

  await lab.postgres.query("ALTER ROLE trader LOGIN");
  await stack.configureSecret("connectionPasswords", JSON.stringify(lab.connectionPasswords));
  const { secrets } = labConfig({ lab, rotates: "both", strategies: { [SECRET]: "vault-static" } });
  await stack.configure("secrets", secrets);
  await up(bench());
  expect((await up(bench())).stdout).toMatch(UNCHANGED);
  for (const name of READERS)
    expect(await lab.health(name)).toMatchObject({ status: "healthy", database: { user: "trader" } });
  const { logins } = await load.stop({ logins: 50 });
  expect(logins.failures).toEqual([]);

  const { rows } = await lab.postgres.query("SELECT usename FROM pg_stat_activity WHERE usename ~ '^trader_'");
  expect(rows).toEqual([]);
  await lab.postgres.query("ALTER ROLE trader_a NOLOGIN; ALTER ROLE trader_b NOLOGIN");
  expect(await login(bench(), user, value)).toBe("28000");
  await lab.healthy();
  expect((await auditRows(bench())).filter(({ secret_name }) => secret_name === SECRET).at(-1)).toMatchObject({
    action: "ADOPT",
    generation: 1,
  });
  await fine(bench(), ["audit", "verify"]);
});

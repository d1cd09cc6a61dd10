import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { PostgresPasswordConfig } from "../../../config";
import { configWith, parse, problemsOf, rightSecret } from "./example";

describe("a service of pg_service.conf", () => {
  let dir: string;
  const write = (text: string, file = "services") => writeFileSync(join(dir, file), text);
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "pg-service-"));
    mkdirSync(join(dir, "machine"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  beforeEach(() => {
    vi.stubEnv("PGSERVICE", undefined);
    vi.stubEnv("HOME", dir);
    vi.stubEnv("PGSERVICEFILE", join(dir, "services"));
    vi.stubEnv("PGSYSCONFDIR", join(dir, "machine"));
    write(TRADER);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const TRADER = [
    "# ours",
    "[other]",
    "host=elsewhere",
    "[trader]",
    "host=db.internal",
    "port=5433",
    "dbname=trader",
    "user=rotation",
    "  sslmode=verify-full",
    "sslrootcert=/etc/ssl/db.pem",
    "application_name=psql",
    "",
    "[trader-2]",
    "host=db-2",
    "",
  ].join("\n");
  const withDatabase = (database: object, more: object = {}) =>
    configWith([["secrets"], [rightSecret({ database, ...more })]]);
  const databaseOf = (database: object) =>
    (parse(withDatabase(database)).secrets[0] as PostgresPasswordConfig).database;
  const problems = (database: object) => problemsOf(withDatabase(database)).join("\n");

  it("says what the config does not say", () => {
    const values = { host: "db.internal", port: 5433, name: "trader", admin: "rotation", sslmode: "verify-full" };
    expect(databaseOf({ service: "trader" })).toEqual({ service: "trader", ...values, sslrootcert: "/etc/ssl/db.pem" });
    expect(databaseOf({ service: "trader", port: 6000, name: "paper", sslmode: "require" })).toMatchObject({
      ...{ ...values, port: 6000, name: "paper", sslmode: "require" },
    });
  });

  it("is that of PGSERVICE, if the config names none", () => {
    vi.stubEnv("PGSERVICE", "trader");
    expect(databaseOf({ host: "db-3", name: "trader" })).toMatchObject({ host: "db-3", port: 5433, admin: "rotation" });
    expect(databaseOf({ service: "trader" })).toMatchObject({ host: "db.internal" });
    expect(problems({ service: "trader-2", name: "trader" })).toMatch(
      /^secrets\[0\]\.database\.service: expected the service of PGSERVICE too \(trader\), found trader-2/,
    );
  });

  it("is looked for in PGSERVICEFILE or the home folder, then in PGSYSCONFDIR", () => {
    write("[machine]\nhost=db-machine\n", "machine/pg_service.conf");
    expect(databaseOf({ service: "machine", name: "trader" })).toMatchObject({ host: "db-machine" });
    vi.stubEnv("PGSERVICEFILE", undefined);
    expect(problems({ service: "trader", name: "trader" })).toMatch(
      /found none of that name in \S+\/machine\/pg_service\.conf/,
    );
    write("[trader]\nhost=db-home\n", ".pg_service.conf");
    expect(databaseOf({ service: "trader", name: "trader" })).toMatchObject({ host: "db-home" });
  });

  it("is the audit log's too", () => {
    const config = configWith([["audit"], { service: "trader", name: "audit" }]);
    expect(parse(config).audit).toMatchObject({ host: "db.internal", name: "audit" });
    expect(problemsOf(configWith([["audit"], { service: "none" }]))).toEqual([
      expect.stringMatching(/^audit\.service: /),
    ]);
  });

  it.each([
    ["no such service", "[trader-2]\n", /found none of that name in \S+services and \S+pg_service\.conf for trader$/],
    ["an unknown key", "[trader]\nhots=db\n", /expected one of host, port, .* in the service trader, found hots/],
    ["a key of another server", "[trader]\nhostaddr=10.0.0.1\n", /found hostaddr, which a rotation cannot follow/],
    [
      "a password",
      "[trader]\npassword=of-the-service\n",
      /expected no password in the service trader: put .* PGPASSFILE/,
    ],
    ["two values", "[trader]\nhost=a\nhost=b\n", /line 3: expected one value of host, found a second one/],
    ["a list of hosts", "[trader]\nhost=a,b\n", /expected one host in the service trader, found a list/],
    ["spaces", "[trader]\nhost = a\n", /line 2: expected KEY=VALUE without spaces around =/],
  ])("is refused with %s, once", (_, text, words) => {
    write(text);
    const found = problemsOf(withDatabase({ service: "trader" }));
    expect(found).toEqual([expect.stringMatching(/^secrets\[0\]\.database\.service: /)]);
    expect(found[0]).toMatch(words);
    expect(found[0]).not.toContain("of-the-service");
  });

  it("is refused if its file cannot be read, and with a wrong value like one of the config", () => {
    vi.stubEnv("PGSERVICEFILE", join(dir, "none"));
    expect(problems({ service: "trader" })).toMatch(
      /database\.service: expected a file that can be read, found \S+none: ENOENT/,
    );
    vi.stubEnv("PGSERVICEFILE", join(dir, "services"));
    write("[trader]\nhost=db\ndbname=trader\nsslmode=maybe\nport=x\n");
    expect(problems({ service: "trader" })).toMatch(
      /database\.port: expected a number, found "x"\n.*database\.sslmode: expected /s,
    );
  });
});

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateSshKeys } from "../../dev/lab/ssh-keys";
import { auditRows, setDay, stateOf, stored, up, useBench } from "./harness";
import {
  databaseOf,
  expectPreflightRefusal,
  expectReadable,
  expectRefusal,
  type Fault,
  platformOf,
  secretOf,
  withSettings,
} from "./input-support";

const VALUE = "adopted-but-wrong-9c1f";
const adoptHint = `pulumi config set --secret --path 'adopted["database/password"]'`;

const password = (more: Record<string, unknown>) => ({
  id: "r-1",
  secret: "database/password",
  reason: "a test",
  ...more,
});

/**
 * Wrong settings, as the engine prints what is said of them; the other messages are held by `test/unit/config`.
 */
const SETTINGS: Record<string, Fault> = {
  "many things at once": {
    settings: (settings) => {
      Object.assign(settings, { polcy: {}, store: { kind: "gcp" } });
      Object.assign(secretOf(settings), { role: 5, restart: ["signal-servce"] });
    },
    says: [
      "4 settings are wrong",
      "store.kind",
      "secrets[0].role: expected text, found 5",
      "polcy",
      "secrets[0].restart[0]",
    ],
  },
  "a rollback where nothing was rotated": {
    settings: (settings) => Object.assign(settings, { request: password({ activate: 7 }) }),
    says: ["request r-1: database/password has no generation 7 in its slots; "],
  },
};

/** Wrong before anything was ever deployed: what somebody meets who sets a stack up. */
const FIRST: Record<string, Fault> = {
  "a role that does not exist, single user": {
    settings: (settings) => Object.assign(secretOf(settings), { strategy: "single-user", role: "tradr" }),
    says: ["1 of ", "database: the role tradr does not exist; roles are adopted, never created"],
  },
  "a role that does not exist, alternating users": {
    settings: (settings) => Object.assign(secretOf(settings), { role: "tradr" }),
    says: ["1 of ", "database: the role tradr does not exist; roles are adopted, never created"],
  },
  "an adopted value that does not log in": {
    settings: (settings) => Object.assign(settings, { adopted: { "database/password": VALUE } }),
    says: [
      "1 of ",
      "current login: trader cannot log in to trader on 127.0.0.1:",
      'password authentication failed for user "trader"',
      adoptHint,
    ],
  },
};

/** Wrong while a rotation is due. */
const DUE: Record<string, Fault> = {
  "a wrong token of the store": {
    env: () => ({ VAULT_TOKEN: "s.wrong-token-of-nobody" }),
    says: [
      "1 of ",
      /store: Vault at http:\S+ answers 403: .*\(is VAULT_TOKEN valid and allowed\? `vault token lookup`\)/,
    ],
  },
  "a sealed store": {
    breaks: async ({ lab }) => {
      await lab.openbao.seal();
      return () => lab.openbao.unseal();
    },
    says: ["1 of ", /store: Vault at http:\S+ is sealed; unseal it with `vault operator unseal`/],
  },
  "a store that does not answer": {
    env: ({ lab }) => ({ VAULT_ADDR: lab.openbao.address.replace("127.0.0.1", "127.0.0.9") }),
    says: ["1 of ", /store: Vault at http:\/\/127\.0\.0\.9:\d+ does not answer: .*ECONNREFUSED/],
  },
  "a database that does not answer": {
    settings: (settings) => Object.assign(databaseOf(settings), { port: 9 }),
    says: ["2 of ", /database, audit log: rotation cannot log in to trader on 127\.0\.0\.1:9: .*ECONNREFUSED/],
  },
  "an administrator's password that is wrong": {
    env: () => ({ PGPASSWORD: "wrong-password-of-nobody" }),
    says: [
      "2 of ",
      "database, audit log: rotation cannot log in to trader on 127.0.0.1:",
      'password authentication failed for user "rotation"; the run\'s own login is PGUSER, or `admin` in the config, with PGPASSWORD or PGPASSFILE',
    ],
  },
  "no administrator's password at all": {
    env: () => ({ PGPASSWORD: "" }),
    says: [
      "2 of ",
      "database, audit log: rotation cannot log in",
      ": it has no password; the run's own login is PGUSER, or `admin` in the config, with PGPASSWORD or PGPASSFILE",
    ],
  },
  "an administrator who may not change roles": {
    env: () => ({ PGUSER: "weak", PGPASSWORD: VALUE }),
    breaks: async ({ lab }) => {
      await lab.postgres.query(`CREATE ROLE weak LOGIN PASSWORD '${VALUE}'; GRANT rotation_audit_writer TO weak`);
      return () => lab.postgres.query("DROP ROLE weak");
    },
    says: ["1 of ", "database: weak may not change roles: expected CREATEROLE (`ALTER ROLE weak CREATEROLE`)"],
  },
  "a role that somebody dropped": {
    breaks: async ({ lab }) => {
      await lab.postgres.query("ALTER ROLE trader RENAME TO traded");
      return () => lab.postgres.query("ALTER ROLE traded RENAME TO trader");
    },
    says: ["1 of ", "database: the role trader does not exist; roles are adopted, never created"],
  },
  "another key of the host": {
    settings: (settings, { lab }) => {
      const { public: hostKey } = generateSshKeys();
      Object.assign(settings, { hosts: { [lab.hosts[0]?.name ?? ""]: { ...lab.config.hosts["trading-1"], hostKey } } });
    },
    says: [
      "1 of ",
      "host trading-1: deploy@127.0.0.1:",
      "shows another key than hosts.trading-1.hostKey",
      "`ssh-keyscan`",
    ],
  },
  "a host that does not answer": {
    settings: (settings, { lab }) =>
      Object.assign(settings, { hosts: { "trading-1": { ...lab.config.hosts["trading-1"], port: 9 } } }),
    says: ["1 of ", /host trading-1: deploy@127\.0\.0\.1:9 \(hosts\.trading-1\) cannot be reached: .*ECONNREFUSED/],
  },
  "a private key that the host does not know": {
    settings: (settings) => Object.assign(settings, { sshPrivateKey: generateSshKeys().private }),
    says: [
      "1 of ",
      "does not take the key in sshPrivateKey: put its public key into authorized_keys of deploy there, or set the right one with `pulumi config set --secret sshPrivateKey < KEYFILE`",
    ],
  },
  "a private key that is none": {
    settings: (settings) => Object.assign(settings, { sshPrivateKey: "ssh-ed25519 AAAA-the-public-one" }),
    says: ["1 of ", "sshPrivateKey cannot be read: "],
  },
  "an account that may not restart the unit": {
    breaks: async ({ lab }) => {
      const pkcheck = join(lab.hosts[0]?.binDir ?? "", "pkcheck");
      await writeFile(pkcheck, "#!/bin/sh\necho 'Authorization requires authentication.'; exit 2\n", { mode: 0o755 });
      return () => rm(pkcheck);
    },
    says: [
      "1 of ",
      /host trading-1: .*signal-service could not be restarted: \S+ may not restart signal-service\.service: polkit says no/,
      "may not restart orchestrator.service: polkit says no (Authorization requires authentication.)",
      "docs/restarts.md",
    ],
  },
  "a market clock that says nothing of the market": {
    breaks: async ({ lab }) => {
      lab.alpaca.paper.clock = () => ({ message: "maintenance" });
      return async () => Reflect.deleteProperty(lab.alpaca.paper, "clock");
    },
    says: [
      "1 of ",
      /market: Alpaca's clock at http:\S+ gives no market hours: expected `is_open` true or false, found none \(its fields: message\)/,
    ],
  },
  "a market that opens in 20 s": {
    breaks: async ({ lab }) => {
      const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
      lab.alpaca.paper.clock = () => ({ is_open: false, next_open: at(20), next_close: at(30_000) });
      return async () => Reflect.deleteProperty(lab.alpaca.paper, "clock");
    },
    says: [
      "1 of ",
      /market: the market is closed, and opens at 20\S+, in \d+s, and a rotation may take \d+m; wait until/,
    ],
  },
  "a service that is not healthy before the start": {
    breaks: async ({ lab }) => {
      await lab.hosts[0]?.setFault("orchestrator", { kind: "never-healthy" });
      return async () => {
        await lab.hosts[0]?.setFault("orchestrator", undefined);
        await lab.healthy();
      };
    },
    says: [
      "1 of ",
      /host trading-1: not healthy before the start: orchestrator \(its answer: \{"status":"unhealthy".*\); fix it first/,
    ],
  },
  "a service that does not run": {
    breaks: async ({ lab }) => {
      await lab.hosts[0]?.systemctl("stop", "signal-service");
      return async () => {
        await lab.hosts[0]?.systemctl("start", "signal-service");
        await lab.healthy();
      };
    },
    says: ["1 of ", /not healthy before the start: signal-service \(its answer: curl: \(7\).*\); fix it first/],
  },
  "an open market": {
    breaks: async ({ lab }) => {
      lab.alpaca.paper.setMarket(true);
      return async () => lab.alpaca.paper.setMarket(false);
    },
    says: [
      "1 of ",
      /market: the market is open until 20\S+; wait until it is closed, or set preflight\.allowOpenMarket: true \(written into the audit log\)/,
    ],
  },
  "a clock of the market that fails": {
    breaks: async ({ lab }) => {
      lab.alpaca.paper.setFault({ status: 500 });
      return async () => lab.alpaca.paper.setFault(undefined);
    },
    says: [
      "1 of ",
      /market: Alpaca's clock at http:\S+ does not answer: 500 .*; try again later, or set preflight\.allowOpenMarket: true/,
    ],
  },
  "an audit log that does not answer": {
    settings: (settings) => Object.assign(settings, { audit: { ...databaseOf(settings), port: 9 } }),
    says: ["1 of ", /audit log: rotation cannot log in to trader on 127\.0\.0\.1:9: .*ECONNREFUSED/],
  },
  "an audit log that is in another database": {
    settings: (settings) => Object.assign(settings, { audit: { ...databaseOf(settings), name: "postgres" } }),
    says: [
      "1 of ",
      "audit log: database postgres has no secret_rotation_log, and user rotation may not make it in schema public.",
      "Or name the database that has it already (config key `audit`)",
    ],
  },
};

/** By the engine: how a refusal is printed, and that the update ends with it. */
const AT_ONCE: Fault = {
  env: () => ({ VAULT_TOKEN: "s.wrong-token-of-nobody" }),
  breaks: async ({ lab }) => {
    lab.alpaca.paper.setMarket(true);
    await lab.hosts[0]?.setFault("orchestrator", { kind: "html" });
    return async () => {
      lab.alpaca.paper.setMarket(false);
      await lab.hosts[0]?.setFault("orchestrator", undefined);
      await lab.healthy();
    };
  },
  says: ["2 of ", "store: Vault at ", "host trading-1: not healthy before the start: orchestrator"],
};

describe("what the preflight refuses, by plain `pulumi up`", () => {
  const bench = useBench();

  it.each(Object.entries(SETTINGS))("wrong settings, %s: one message, nothing changed", async (_, fault) => {
    const printed = await expectRefusal(bench(), fault);
    expect(printed).toContain("nothing was changed");
  });

  it.each(Object.entries(FIRST))("at first: %s", async (_, fault) => {
    await expectRefusal(bench(), {
      ...fault,
      says: ["preflight for database/password: ", "nothing was changed", ...fault.says],
    });
  });

  it("at first: a role that does not exist, in a preview", async () => {
    const { stack } = bench();
    const result = await withSettings(
      bench(),
      (settings) => Object.assign(secretOf(settings), { role: "tradr" }),
      () => stack.pulumi(["preview"]),
    );
    expect(result.exitCode).not.toBe(0);
    const printed = result.stdout + result.stderr;
    if (process.env.SHOW) console.log(printed);
    expect(printed).toContain("database/password: the role tradr does not exist; roles are adopted, never created");
    expectReadable(printed);
  });

  it("at first: an adopted value that is not what the store holds", async () => {
    const { lab } = bench();
    await lab.openbao.putSecret("paper/database/password", { value: VALUE });
    await expectRefusal(bench(), {
      says: ["1 of ", "current value: ", "database/password", "version 2", "is not what this stack wrote. ", adoptHint],
    });
    await lab.openbao.putSecret("paper/database/password", { value: String(lab.adopted["database/password"]) });
  });

  it("once all of that is right, adopts and rotates, with numbers and booleans as `pulumi config set --path` writes them", async () => {
    const { stack } = bench();
    const settings = {
      "policy.maxAge": "60d",
      "preflight.allowOpenMarket": "true",
      "request.id": "7",
      "request.secret": "database/password",
      "request.rotate": "true",
      "request.reason": "a test",
    };
    for (const [path, value] of Object.entries(settings)) {
      const { exitCode, stderr } = await stack.pulumi(["config", "set", "--plaintext", "--path", path, value]);
      expect(exitCode, stderr).toBe(0);
    }
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1, handledRequest: "7" });
    expect(await auditRows(bench())).toHaveLength(1);
    for (const key of ["policy", "preflight", "request"]) await stack.configure(key, undefined);
    await setDay(bench(), 89);
  });

  const whole = (fault: Fault): Fault => ({
    ...fault,
    says: ["preflight for database/password: ", "nothing was changed", ...fault.says],
  });

  it.each(Object.entries(DUE))("when due: %s", async (_, fault) => {
    await expectPreflightRefusal(bench(), whole(fault));
  });

  it("when due: many things at once, by plain `pulumi up`", async () => {
    await expectRefusal(bench(), whole(AT_ONCE));
  });

  it("when due: a rollback to a generation that neither slot holds, or whose value is not known", async () => {
    const request = { id: "back", secret: "database/password", reason: "a test" };
    await expectRefusal(bench(), {
      settings: (settings) => Object.assign(settings, { request: { ...request, activate: 7 } }),
      says: ["request back: database/password has no generation 7 in its slots; available: 0 (active now: 1)."],
    });
    await expectRefusal(bench(), {
      settings: (settings) => Object.assign(settings, { request: { ...request, activate: 0 }, adopted: {} }),
      says: [
        "database/password has no generation 0 in its slots; there is nothing to roll back to. Its value was never given: set the secret config key `adopted`.",
      ],
    });
  });

  it("once all of that is mended, one update rotates: nothing was lost", async () => {
    const before = await stored(bench(), "database/password");
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0, step: { action: "ROTATE" } });
    expect((await stored(bench(), "database/password")).version).toBe(before.version + 1);
    const rows = await auditRows(bench());
    expect(rows.map(({ action, status }) => [action, status])).toEqual([
      ["ADOPT", "SUCCESS"],
      ["ROTATE", "SUCCESS"],
    ]);
    expect(rows.at(-1)?.outputs).toMatchObject({ overrides: [] });
  });

  it("lets an open market pass where the config says so, and the audit row tells", async () => {
    const { lab, stack } = bench();
    await setDay(bench(), 178);
    await stack.configure("preflight", { allowOpenMarket: true });
    lab.alpaca.paper.setMarket(true);
    await up(bench());
    const row = (await auditRows(bench())).at(-1);
    expect(row).toMatchObject({ action: "ROTATE", generation: 3 });
    expect(row?.outputs).toMatchObject({
      overrides: [expect.stringMatching(/^allowOpenMarket: the market was open until 20/)],
    });
    const { restarts } = await platformOf(bench());
    expect(restarts).toEqual([6]);
  });
});

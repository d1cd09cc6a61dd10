import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateSshKeys } from "../../dev/lab/ssh-keys";
import { databaseOf, type Fault, secretOf } from "./input-support";

export const VALUE = "adopted-but-wrong-9c1f";
export const adoptHint = `pulumi config set --secret --path 'adopted["database/password"]'`;

const password = (more: Record<string, unknown>) => ({
  id: "r-1",
  secret: "database/password",
  reason: "a test",
  ...more,
});

/**
 * Wrong settings, as the engine prints what is said of them; the other messages are held by `test/unit/config`.
 */
export const SETTINGS: Record<string, Fault> = {
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
export const FIRST: Record<string, Fault> = {
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
export const DUE: Record<string, Fault> = {
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
    says: ["1 of ", 'database: weak may not change roles: expected CREATEROLE (`ALTER ROLE "weak" CREATEROLE`)'],
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
      /`ssh-keyscan -p \d+ \S+`/,
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
export const AT_ONCE: Fault = {
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

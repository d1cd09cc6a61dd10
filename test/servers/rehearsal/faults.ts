import { rootCertificates } from "node:tls";
import type { Rehearsal } from "../../../kinds/postgres-password/rehearsal/input";
import { config, type Fault, file, hba, sql } from "./fault";
import { HBA, type Stage } from "./stage";
import { verifierOf } from "./stage-servers";

/** The reader with ways of its own. */
const gatewayOf = (given: Rehearsal) =>
  given.places[0]?.readers[1] as NonNullable<Rehearsal["places"][0]>["readers"][0];

/** That reader names the pooler: a path that no service names and that takes neither login is none of theirs. */
const overPooler = (given: Rehearsal, { pooler }: Stage) => {
  const gateway = gatewayOf(given);
  Object.assign(gateway, { paths: [`127.0.0.1:${pooler.port}`], sslmode: "disable" });
  delete gateway.parameters;
};

const BOTH = "signal-service, orchestrator on trading-1";
const GATEWAY = "execution-gateway on trading-1";
const SECOND = "signal-service on trading-2";
const LOCAL = "reporting on this machine";
const POLICY = (capabilities: string) => ({
  policy: `path "secret/data/paper/*" { capabilities = [${capabilities}] }`,
});
const [STANDBY, POOLER] = ["127.0.0.1:STANDBY", "127.0.0.1:POOLER"];

export const FAULTS: readonly Fault[] = [
  // pg_hba.conf, as it sees the address of each reader.
  {
    name: "pg_hba.conf names the old login for one host",
    names: [SECOND, "primary", /trader_b cannot log in: no pg_hba.conf entry for host "127.0.0.3".*trader_a can/],
    ...hba(HBA["trading-1"], "host trader trader_a 127.0.0.3/32 scram-sha-256"),
  },
  {
    name: "no line of pg_hba.conf for a host whose service names the path",
    names: [GATEWAY, "primary", /no pg_hba.conf entry for host "127.0.0.2"/],
    ...hba(HBA["trading-2"]),
  },
  {
    name: "pg_hba.conf rejects the new login from one host",
    names: [BOTH, "primary", /pg_hba.conf rejects connection for host "127.0.0.2", user "trader_b"/],
    ...hba("host trader trader_b 127.0.0.2/32 reject", HBA["trading-1"], HBA["trading-2"]),
  },
  {
    name: "pg_hba.conf asks for another method",
    names: [SECOND, "primary", /Ident authentication failed for user "trader_b"/],
    ...hba("host trader trader_b 127.0.0.3/32 ident", HBA["trading-1"], HBA["trading-2"]),
  },
  {
    name: "pg_hba.conf admits no TLS from a host whose service uses it",
    names: [GATEWAY, "primary", /no pg_hba.conf entry for host "127.0.0.2".*SSL encryption/],
    ...hba(HBA["trading-1"].replace("host ", "hostnossl "), HBA["trading-2"]),
  },
  {
    name: "the standby's pg_hba.conf names the old login",
    names: [SECOND, STANDBY, /no pg_hba.conf entry for host "127.0.0.3", user "trader_b"/],
    inject: (stage) =>
      stage.standbyHba([HBA.pipeline, HBA["trading-1"], "host trader trader_a 127.0.0.3/32 scram-sha-256"]),
    undo: (stage) => stage.standbyHba(Object.values(HBA)),
  },
  // Poolers.
  {
    name: "the pooler's list is old",
    names: [BOTH, POOLER, /trader_b cannot log in: .*trader_a can/],
    inject: (stage) => stage.userlist({ trader_a: verifierOf() }),
    undo: (stage) => stage.userlist({ trader_a: verifierOf(), trader_b: verifierOf() }),
  },
  {
    name: "the pooler's list has another password",
    names: [SECOND, POOLER, /trader_b cannot log in: .*authentication failed/],
    inject: (stage) => stage.userlist({ trader_a: verifierOf(), trader_b: verifierOf("another") }),
    undo: (stage) => stage.userlist({ trader_a: verifierOf(), trader_b: verifierOf() }),
  },
  {
    name: "the pooler's database is disabled",
    names: [GATEWAY, POOLER, /database "trader" is disabled; neither can trader_a/],
    input: overPooler,
    inject: (stage) => stage.console("DISABLE trader"),
    undo: (stage) => stage.console("ENABLE trader"),
  },
  {
    name: "the pooler takes no startup parameter of a service",
    names: [GATEWAY, POOLER, /unsupported startup parameter: search_path/],
    ...config((given, { pooler }) => {
      gatewayOf(given).paths = [`127.0.0.1:${pooler.port}`];
      gatewayOf(given).sslmode = "disable";
    }),
  },
  {
    name: "the pooler has no database of that name",
    names: [GATEWAY, POOLER, /no such database/],
    ...config((given, stage) => {
      overPooler(given, stage);
      Object.assign(given.paths[1] ?? {}, { database: "trades" });
    }),
  },
  // The standby.
  {
    name: "the standby is behind",
    names: [SECOND, STANDBY, /password authentication failed for user "trader_b"; trader_a can/],
    inject: async (stage) => {
      await stage.caughtUp();
      await stage.onStandby("SELECT pg_wal_replay_pause()");
      await stage.sql(`ALTER ROLE trader_b PASSWORD '${verifierOf("next")}'`);
      await stage.userlist({ trader_a: verifierOf(), trader_b: verifierOf("next") });
    },
    input: (given) => void Object.assign(given.login, { password: "next" }),
    undo: async (stage) => {
      await stage.onStandby("SELECT pg_wal_replay_resume()");
      await stage.sql(`ALTER ROLE trader_b PASSWORD '${verifierOf()}'`);
      await stage.userlist({ trader_a: verifierOf(), trader_b: verifierOf() });
    },
  },
  // TLS, as the reader checks it.
  {
    name: "a host has another authority",
    names: [GATEWAY, "primary", /unable to (get|verify)|self-signed/],
    ...file("ca.pem", rootCertificates[0]),
  },
  {
    name: "a host has no authority",
    names: [GATEWAY, "-", /holds no certificate: .*No such file/],
    ...file("ca.pem", undefined),
  },
  { name: "the authority's file is empty", names: [GATEWAY, "-", /holds no certificate/], ...file("ca.pem", "") },
  {
    name: "the certificate does not name the server",
    names: [GATEWAY, "127.0.0.4:PRIMARY", /127\.0\.0\.4 is not in the cert's list/],
    ...config((given, { primary }) => {
      const [{ host: _, ...path }] = given.paths as [Rehearsal["paths"][0]];
      given.paths.push({ ...path, host: "127.0.0.4", port: primary.port });
      gatewayOf(given).paths = [`127.0.0.4:${primary.port}`];
    }),
  },
  {
    name: "the server has no TLS",
    names: [GATEWAY, "primary", /does not support SSL/],
    inject: (stage) => stage.setting("ssl", "off"),
    undo: (stage) => stage.setting("ssl", "on"),
  },
  // The login itself.
  {
    name: "the role may not log in",
    names: [BOTH, "primary", /role "trader_b" is not permitted to log in/],
    ...sql("ALTER ROLE trader_b NOLOGIN", "ALTER ROLE trader_b LOGIN"),
  },
  {
    name: "the role has another password",
    names: [LOCAL, "primary", /password authentication failed for user "trader_b"/],
    ...sql(`ALTER ROLE trader_b PASSWORD '${verifierOf("other")}'`, `ALTER ROLE trader_b PASSWORD '${verifierOf()}'`),
  },
  {
    name: "the password has expired",
    names: [SECOND, "primary", /password authentication failed for user "trader_b"/],
    ...sql("ALTER ROLE trader_b VALID UNTIL '2001-01-01'", "ALTER ROLE trader_b VALID UNTIL 'infinity'"),
  },
  {
    name: "the role may have no connection",
    names: ["every reader", "primary", /connection limit is 0 for trader_b, expected the default/],
    ...sql("ALTER ROLE trader_b CONNECTION LIMIT 0", "ALTER ROLE trader_b CONNECTION LIMIT -1"),
  },
  {
    name: "the role may have fewer connections",
    names: ["every reader", "primary", /connection limit is 3 for trader_b, expected the default/],
    ...sql("ALTER ROLE trader_b CONNECTION LIMIT 3", "ALTER ROLE trader_b CONNECTION LIMIT -1"),
  },
  {
    name: "the role may not connect to the database",
    names: [BOTH, "primary", /permission denied for database "trader"/],
    ...sql(
      "REVOKE CONNECT ON DATABASE trader FROM PUBLIC; GRANT CONNECT ON DATABASE trader TO trader_a",
      "GRANT CONNECT ON DATABASE trader TO PUBLIC; REVOKE CONNECT ON DATABASE trader FROM trader_a",
    ),
  },
  // Settings.
  {
    name: "search_path is lost",
    names: [BOTH, "primary", /search_path is .*public.* and was "desk, public"/],
    ...sql("ALTER ROLE trader_b RESET search_path", "ALTER ROLE trader_b SET search_path TO desk, public"),
  },
  {
    name: "a setting in the database is lost",
    names: [BOTH, "primary", /work_mem is "4096" and was "5120"/],
    ...sql(
      "ALTER ROLE trader_b IN DATABASE trader RESET work_mem",
      "ALTER ROLE trader_b IN DATABASE trader SET work_mem TO '5MB'",
    ),
  },
  {
    name: "a limit has another value",
    names: [SECOND, "primary", /statement_timeout is "1000" and was "29000"/],
    ...sql("ALTER ROLE trader_b SET statement_timeout TO 1000", "ALTER ROLE trader_b SET statement_timeout TO 29000"),
  },
  {
    name: "a setting of the platform's own is lost",
    names: [BOTH, "primary", /app\.tenant is not set and was "desk 7"/],
    ...sql('ALTER ROLE trader_b RESET "app.tenant"', "ALTER ROLE trader_b SET app.tenant TO 'desk 7'"),
  },
  {
    name: "the new login's transactions are read-only",
    names: [BOTH, "primary", /default_transaction_read_only is "on" and was "off"/],
    ...sql(
      "ALTER ROLE trader_b SET default_transaction_read_only TO on",
      "ALTER ROLE trader_b RESET default_transaction_read_only",
    ),
  },
  // Rights and memberships.
  {
    name: "the login acts as itself",
    names: [BOTH, "primary", /the role that a session acts as is trader_b and was trader/],
    ...sql("ALTER ROLE trader_b RESET role", "ALTER ROLE trader_b SET role TO 'trader'"),
  },
  {
    name: "the login acts as another role, to which the schema is not visible",
    names: [BOTH, STANDBY, /the schemas that a session finds .* rights in the schema desk \(.*desk\.orders|orders/],
    inject: async (stage) => {
      await stage.sql("ALTER ROLE trader_b SET role TO 'reporting'");
      await stage.caughtUp();
    },
    undo: (stage) => stage.sql("ALTER ROLE trader_b SET role TO 'trader'"),
  },
  {
    name: "the login is no member of the owner any more",
    names: [LOCAL, "primary", /acts as is trader_b and was trader/],
    ...sql("REVOKE trader FROM trader_b", "GRANT trader TO trader_b"),
  },
  {
    name: "the old login alone has a membership",
    names: [BOTH, "primary", /it is no member of risk/],
    ...sql("GRANT risk TO trader_a", "REVOKE risk FROM trader_a"),
  },
  {
    name: "the new login alone has a membership",
    names: [BOTH, "primary", /it is a member of risk, which the login in use is not/],
    ...sql("GRANT risk TO trader_b", "REVOKE risk FROM trader_b"),
  },
  // Hosts.
  {
    name: "a host's firewall lets a named path out no more",
    names: [GATEWAY, "primary", /the host does not reach it/],
    inject: async ({ blocked, primary }) => blocked.add(`trading-1 ${primary.port}`),
    undo: async ({ blocked }) => blocked.clear(),
  },
  {
    name: "a host is down",
    names: [SECOND, "ssh", /cannot be reached/],
    inject: (stage) => stage.stopHost("trading-2"),
    undo: (stage) => stage.startHost("trading-2"),
  },
  {
    name: "a host shows another key",
    names: [SECOND, "ssh", /shows another key/],
    ...config((given) => void Object.assign(given.places[1]?.host ?? {}, { hostKey: given.places[0]?.host?.hostKey })),
  },
  {
    name: "the server takes no startup parameter of a service",
    names: [GATEWAY, "primary", /unrecognized configuration parameter "desk_mode"/],
    ...config((given) => void Object.assign(gatewayOf(given), { parameters: { desk_mode: "live" } })),
  },
  // The store, as the service reads it.
  {
    name: "the service's policy lacks read",
    names: [GATEWAY, "store", /answers 403: .*permission denied/],
    inject: ({ vault }) => vault.request("PUT", "sys/policies/acl/services", POLICY('"list"')),
    undo: ({ vault }) => vault.request("PUT", "sys/policies/acl/services", POLICY('"read"')),
  },
  { name: "the service's token is unknown", names: [GATEWAY, "store", /answers 403/], ...file("token", "s.gone") },
  {
    name: "the service's token is gone",
    names: [GATEWAY, "store", /it cannot be read: .*No such file/],
    ...file("token", undefined),
  },
];

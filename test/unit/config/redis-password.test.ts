import { expect, it } from "vitest";
import { configWith, type Key, parse, problemsOf } from "./example";

const AUDIT = { host: "db.internal", name: "trader" };
const RIGHT = {
  kind: "redis-password",
  name: "redis/password",
  user: "app",
  nodes: ["redis-1.internal:6379", "[fd00::7]:6379"],
  admin: "rotation",
  restart: ["signal-service"],
};
const withSecrets = (...secrets: object[]) =>
  configWith([["secrets"], secrets], [["adopted"], { "redis/password": "in-use" }], [["audit"], AUDIT]);

it("is right with five keys, and has TLS and REDISCLI_AUTH by default", () => {
  const [secret] = parse(withSecrets(RIGHT)).secrets;
  expect(secret).toMatchObject({
    tls: { mode: "verify-full" },
    adminVariable: "REDISCLI_AUTH",
    rewriteConfig: false,
  });
  const { admin: _, ...bare } = RIGHT;
  expect(parse(withSecrets(bare)).secrets[0]).toMatchObject({ admin: "default" });
});

it("is no database, so the audit log needs one of its own", () => {
  const config = withSecrets(RIGHT);
  delete config.audit;
  expect(problemsOf(config)).toEqual([expect.stringMatching(/^audit: expected the database of the audit log/)]);
});

it.each<[Key[], unknown, string]>([
  [["nodes"], [], "secrets[0].nodes: expected at least one server as HOST:PORT"],
  [["nodes"], ["redis-1"], "secrets[0].nodes[0]: expected HOST:PORT, such as redis-1.internal:6379"],
  [["nodes"], ["redis-1:70000"], "secrets[0].nodes[0]: expected HOST:PORT, such as redis-1.internal:6379"],
  [["nodes"], ["redis://redis-1:6379"], "secrets[0].nodes[0]: expected HOST:PORT, such as redis-1.internal:6379"],
  [["nodes"], ["a:1", "a:1"], "secrets[0].nodes[1]: expected each server once, found a:1, which nodes[0] names"],
  [["user"], "two words", "secrets[0].user: expected the name of an ACL user, without spaces and quotes"],
  [
    ["admin"],
    "app",
    "secrets[0].admin: expected another user than the one that is rotated, found app: name an ACL user of the pipeline's own",
  ],
  [
    ["adminVariable"],
    "PGPASSWORD",
    "secrets[0].adminVariable: expected REDISCLI_AUTH, or a name that begins with REDISCLI_AUTH_",
  ],
  [["tls"], { mode: "maybe" }, "secrets[0].tls.mode: expected one of disable, verify-ca, verify-full"],
  [["tls"], { cert: "/a" }, "secrets[0].tls.key: expected cert and key together, found one of them"],
  [
    ["tls"],
    { mode: "disable", ca: "/a" },
    "secrets[0].tls.mode: expected verify-full or verify-ca with ca, found disable",
  ],
  [
    ["passwordRule"],
    { length: 12, minimum: { digits: 20 } },
    "secrets[0].passwordRule.length: expected at least 23, the sum of the minimums, found 12",
  ],
  [["tls"], { ca: "a" }, "secrets[0].tls.ca: expected an absolute path"],
  [
    ["sentinel"],
    { nodes: [], master: "mymaster" },
    "secrets[0].sentinel.nodes: expected at least one Sentinel as HOST:PORT",
  ],
  [
    ["sentinel"],
    { nodes: ["s:26379"], master: "mymaster", user: "x" },
    "secrets[0].sentinel.variable: expected user and variable together, found one of them",
  ],
  [["extras"], { url: "{password}" }, "secrets[0].extras: expected only with format json or both, found format value"],
  [["role"], "app", "secrets[0].role: unknown key; expected one of kind, name, user, nodes"],
])("%j as %j is refused by one message", (path, value, message) => {
  const changes = Object.fromEntries([[path[0], value]]);
  const problems = problemsOf(withSecrets({ ...RIGHT, ...changes }));
  expect(problems).toEqual([expect.stringContaining(message)]);
});

it("has a user of its own at each server", () => {
  const other = { ...RIGHT, name: "cache/password" };
  expect(problemsOf(withSecrets(RIGHT, other))).toEqual([
    "secrets[1].user: expected a user that no other secret has, found app on redis-1.internal:6379, which secrets[0] rotates",
  ]);
  parse(withSecrets(RIGHT, { ...other, user: "cache" }));
  parse(withSecrets(RIGHT, { ...other, nodes: ["redis-9:6379"] }));
});

import { expect, it } from "vitest";
import { kindOf, traitsOf } from "../../../kinds/schemas";
import { configWith, type Key, parse, problemsOf } from "./example";

const NAME = "market-data/api-key";
const TOKEN = { Authorization: "Bearer {token}" };
const RIGHT = {
  kind: "api-key",
  name: NAME,
  verify: { request: "GET https://api.example.com/v1/account", headers: { Authorization: "Bearer {key}" } },
  variables: { token: "MARKET_DATA_TOKEN" },
  issue: {
    ...{ request: "POST https://api.example.com/v1/keys", headers: { ...TOKEN, "Idempotency-Key": "{id}" } },
    values: { key: "$.data.key", keyId: "$.data.id" },
  },
  revoke: { request: "DELETE https://api.example.com/v1/keys/{keyId}", headers: TOKEN },
  restart: ["orchestrator"],
};
/** Its keys have names, by which they end. */
const NAMED = {
  ...RIGHT,
  issue: { ...RIGHT.issue, headers: TOKEN, json: { name: "{id}" }, values: { key: "$.key" }, taken: { status: 409 } },
  revoke: { request: "DELETE https://api.example.com/v1/keys/{id}", headers: TOKEN },
};
const BY_COMMANDS = { ...RIGHT, issue: { command: "node issue.mjs" }, revoke: { command: "node revoke.mjs" } };

const withSecret = (secret: object, more: { adopted?: object; apiKeys?: object } = {}) =>
  configWith(
    [["secrets"], [secret]],
    [["adopted"], more.adopted],
    [["apiKeys"], more.apiKeys],
    [["audit"], { host: "db.internal", name: "trader" }],
  );

it("is right with what makes and ends keys, and needs no key then: this pipeline makes them, so they rotate by age", () => {
  const [secret] = parse(withSecret(RIGHT)).secrets;
  expect(secret).toMatchObject({
    issue: { expect: { status: [200, 201] }, timeout: 10_000 },
    revoke: { expect: { status: [200, 202, 204] }, gone: { status: 404 }, wait: 30_000 },
  });
  expect(secret && [kindOf(secret), traitsOf(secret).suppliedBy]).toEqual(["issued-api-key", "pipeline"]);
  for (const other of [NAMED, BY_COMMANDS]) expect(parse(withSecret(other)).secrets).toHaveLength(1);
});

it.each<[object, Key[], unknown, string]>([
  [RIGHT, ["revoke"], undefined, "secrets[0].revoke: expected how a key ends, since `issue` makes them"],
  [RIGHT, ["issue", "request"], undefined, "secrets[0].issue: expected request or command, found neither"],
  [RIGHT, ["issue", "command"], "node issue.mjs", "secrets[0].issue.command: expected request or command, found both"],
  [RIGHT, ["revoke", "command"], "", "secrets[0].revoke.command: expected some text"],
  [
    RIGHT,
    ["issue", "values"],
    undefined,
    "secrets[0].issue.values: expected where the answer has each field, found none",
  ],
  [RIGHT, ["issue", "values"], { keyId: "$.id" }, "none for key, such as { key: $.data.key }"],
  [RIGHT, ["issue", "values", "key"], "data.key", "secrets[0].issue.values.key: expected a path such as $.account.id"],
  [RIGHT, ["issue", "values", "Key"], "$.key", "secrets[0].issue.values.Key: its name is wrong: expected letters"],
  [
    RIGHT,
    ["issue", "headers"],
    { Authorization: "{key}" },
    "secrets[0].issue: expected a field (one of id, token), found {key}",
  ],
  [
    RIGHT,
    ["issue", "request"],
    "POST http://api.example.com/",
    "secrets[0].issue.request: expected a method and an https://",
  ],
  [
    RIGHT,
    ["issue", "request"],
    "POST https://{id}.example.com/",
    "secrets[0].issue.request: expected a host without a field",
  ],
  [
    NAMED,
    ["issue", "request"],
    "GET https://api.example.com/{id}",
    "secrets[0].issue.request: expected another method",
  ],
  [RIGHT, ["issue", "expect"], { status: 500 }, "secrets[0].issue.expect.status: "],
  [RIGHT, ["issue", "timeout"], 5, "secrets[0].issue.timeout: expected a duration"],
  [RIGHT, ["issue", "taken"], {}, "secrets[0].issue.taken.status: expected an HTTP status"],
  [RIGHT, ["issue", "name"], "x", "secrets[0].issue.name: unknown key; expected one of request, headers"],
  [
    RIGHT,
    ["revoke", "request"],
    "DELETE https://api.example.com/v1/keys",
    "secrets[0].revoke: expected what names the key in the request (one of {id}, {key}, {keyId}), found none of it",
  ],
  [
    RIGHT,
    ["revoke", "request"],
    "DELETE https://api.example.com/v1/keys/{number}",
    "secrets[0].revoke: expected a field (one of id, token, key, keyId), found {number}",
  ],
  [RIGHT, ["revoke", "gone"], { status: "404" }, "secrets[0].revoke.gone.status: expected an HTTP status"],
  [RIGHT, ["revoke", "wait"], 30, "secrets[0].revoke.wait: expected a duration"],
  [RIGHT, ["variables"], { token: "A-B" }, "secrets[0].variables.token: expected the name of an environment variable"],
  [RIGHT, ["variables", "keyId"], "TOKEN", "secrets[0].variables.keyId: expected a name that is no field"],
  [RIGHT, ["variables", "id"], "TOKEN", "secrets[0].variables.id: expected a name that is no field"],
  [NAMED, ["issue", "json"], { name: "a" }, "secrets[0].issue.taken: expected {id} in the request of `issue`"],
  [
    NAMED,
    ["revoke", "request"],
    "DELETE https://api.example.com/v1/keys/{key}",
    "secrets[0].issue.taken: expected a request in `revoke` that names a key by {id} alone, found {key}, which is not known",
  ],
  [
    NAMED,
    ["revoke"],
    { command: "a" },
    "secrets[0].issue.taken: expected a request in `revoke` that names a key by {id} alone, found a command",
  ],
  [BY_COMMANDS, ["issue", "values"], { key: "$.key" }, "secrets[0].issue.values: expected only with request"],
  [BY_COMMANDS, ["issue", "taken"], { status: 409 }, "secrets[0].issue.taken: expected only with request"],
  [BY_COMMANDS, ["revoke", "headers"], TOKEN, "secrets[0].revoke.headers: expected only with request"],
  [RIGHT, ["issue"], undefined, "secrets[0].revoke: expected only with `issue`: a key that you supply is ended by you"],
  [RIGHT, ["issue"], undefined, "secrets[0].variables: expected only with `issue`"],
])("%# is refused", (secret, path, value, message) => {
  const { changed } = configWith([["changed"], structuredClone(secret)], [["changed", ...path], value]);
  expect(problemsOf(withSecret(changed as object)).join("\n")).toContain(message);
});

it("takes the values in use with what their end needs, and shows none", () => {
  const inUse = (values: object) => ({ adopted: { [NAME]: JSON.stringify(values) } });
  expect(parse(withSecret(RIGHT, inUse({ key: "key-in-use", keyId: "7" }))).secrets).toHaveLength(1);
  expect(problemsOf(withSecret(RIGHT, inUse({ key: "key-in-use" })))).toEqual([
    `adopted["${NAME}"]: expected JSON with the values in use, {"key":"...","keyId":"..."}, found another text`,
  ]);
});

it("has no supplied keys beside it", () => {
  const current = { label: "market-data-2026-11-23", values: { key: "key-in-use" } };
  expect(problemsOf(withSecret(RIGHT, { apiKeys: { [NAME]: { current } } }))).toEqual([
    `apiKeys["${NAME}"]: expected nothing, since \`issue\` makes its keys; the values in use belong in \`adopted\``,
  ]);
});

it("in a lab only loopback addresses make and end keys", () => {
  const local = (request: string) => ({
    ...RIGHT,
    verify: { ...RIGHT.verify, request: "GET http://127.0.0.1:1/" },
    revoke: { ...RIGHT.revoke, request },
  });
  const { alpaca: _, ...rest } = withSecret(local("DELETE http://127.0.0.1:1/{keyId}"));
  const lab = { ...rest, preflight: { allowOpenMarket: true }, lab: {} };
  expect(problemsOf(lab).join("\n")).toContain("api.example.com is not a loopback address");
});

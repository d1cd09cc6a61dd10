import { expect, it } from "vitest";
import { fieldPath } from "../../../kinds/issuer/checks";
import { pathsOf } from "../../../kinds/schemas";
import { configWith, type Key, parse, problemsOf } from "./example";

const NAME = "market-data/api-key";
const KEY = { label: "market-data-2026-11-23", values: { key: "secret-of-the-key" } };
const VERIFY = {
  request: "GET https://api.example.com/v1/account",
  headers: { Authorization: "Bearer {key}" },
};
const RIGHT = { kind: "api-key", name: NAME, verify: VERIFY, restart: ["orchestrator"] };
const withSecret = (secret: object, keys: unknown = { [NAME]: { current: KEY } }) =>
  configWith(
    [["secrets"], [secret]],
    [["adopted"], undefined],
    [["audit"], { host: "db.internal", name: "trader" }],
    [["apiKeys"], keys],
  );

it("is right with a request and a key; 200 is a key that works, and 401 one that has ended", () => {
  expect(parse(withSecret(RIGHT)).secrets[0]).toMatchObject({
    fields: ["key"],
    verify: { expect: { status: 200 }, revoked: { status: 401 }, timeout: 10_000, activationWait: 30_000 },
  });
});

it("has a path for each field, which the config can name", () => {
  const secret = { name: NAME, fields: ["id", "secretKey"], storePaths: { id: "market-data/id" } };
  expect(secret.fields.map((field) => fieldPath(secret, field))).toEqual([
    "market-data/id",
    "market-data/api-key_secret_key",
  ]);
  const [one] = parse(withSecret(RIGHT)).secrets;
  expect(one && pathsOf(one)).toEqual([NAME]);
  const [both] = parse(withSecret({ ...RIGHT, format: "both", path: "market-data/document" })).secrets;
  expect(both && pathsOf(both)).toEqual(["market-data/document", NAME]);
});

it.each<[Key[], unknown, string]>([
  [["name"], undefined, "secrets[0].name: expected lower-case words joined by /"],
  [["fields"], [], "secrets[0].fields: expected at least one entry"],
  [["fields"], ["Key"], "secrets[0].fields[0]: expected letters and digits with a lower-case letter first"],
  [["fields"], ["key", "key"], "secrets[0].fields: expected each field once, found key twice"],
  [["storePaths"], { other: "a/b" }, "secrets[0].storePaths.other: expected one of `fields` (key), found another"],
  [["verify"], undefined, "secrets[0].verify: expected an object with request"],
  [
    ["verify", "request"],
    "https://api.example.com",
    "secrets[0].verify.request: expected a method and an https:// address",
  ],
  [
    ["verify", "request"],
    "GET http://api.example.com/",
    "secrets[0].verify.request: expected a method and an https:// address",
  ],
  [
    ["verify", "request"],
    "GET http://127.0.0.1.evil.example/",
    "secrets[0].verify.request: expected a method and an https:// address",
  ],
  [
    ["verify", "request"],
    "GET https://{key}.example.com/",
    "secrets[0].verify.request: expected a host without a field: a key must not choose who gets it",
  ],
  [
    ["verify", "request"],
    "GET https://{key}@example.com/",
    "secrets[0].verify.request: expected a host without a field",
  ],
  [
    ["verify", "headers"],
    { Authorization: "Bearer {token}" },
    "secrets[0].verify: expected a field (key), found {token}",
  ],
  [
    ["verify", "request"],
    "GET https://user:password@example.com/",
    "secrets[0].verify.request: expected no user in the address",
  ],
  [["verify", "request"], "GET https://example.com:99999/", "secrets[0].verify.request: expected a host, and a port"],
  [["verify", "headers"], { "X-Key": "{key}\n" }, "secrets[0].verify.headers.X-Key: expected ASCII in one line"],
  [["verify", "basicAuth"], "{key}:", "secrets[0].verify.basicAuth: expected basicAuth or a header Authorization"],
  [["verify", "headers"], {}, "secrets[0].verify: expected every field in the request, found no {key}"],
  [
    ["verify", "headers"],
    { "A B": "{key}" },
    'secrets[0].verify.headers["A B"]: its name is wrong: expected the name of a header',
  ],
  [["verify", "basicAuth"], "{key}", "secrets[0].verify.basicAuth: expected a user and a password with a colon"],
  [["verify", "json"], { key: "{key}" }, "secrets[0].verify.request: expected another method than GET with a body"],
  [["verify", "expect"], { status: 503 }, "secrets[0].verify.expect.status: expected at most 499, found 503"],
  [
    ["verify", "revoked"],
    { status: [401, 200] },
    "secrets[0].verify.revoked: expected a status that expect does not have, or json in both, found 200 in both",
  ],
  [["verify", "identity"], "account.id", "secrets[0].verify.identity: expected a path such as $.account.id"],
  [["verify", "timeout"], 10, "secrets[0].verify.timeout: expected a duration"],
  [["keys"], { key: "API_KEY" }, "secrets[0].keys: expected only with format json or both"],
  [["dryRun"], { command: "x", service: "nobody" }, "secrets[0].dryRun.service: expected an entry of services"],
])("%j = %j is refused", (path, value, message) => {
  const { changed } = configWith([["changed"], structuredClone(RIGHT)], [["changed", ...path], value]);
  expect(problemsOf(withSecret(changed as object)).join("\n")).toContain(message);
});

it.each<[unknown, string]>([
  [{}, `apiKeys["${NAME}"]: expected the key in use, found nothing: \`rotation key add ${NAME}\``],
  [{ "other/key": { current: KEY } }, "apiKeys (an entry): expected the name of a secret of kind api-key"],
  [
    { [NAME]: { current: { ...KEY, values: { token: "secret-of-the-key" } } } },
    `apiKeys["${NAME}"].current.values: expected the fields of the secret (key), found token`,
  ],
  [
    { [NAME]: { current: { ...KEY, label: "no date" } } },
    `apiKeys["${NAME}"].current.label: expected a text with a date at its end`,
  ],
  [
    { [NAME]: { current: { ...KEY, values: { key: "secret-of the-key" } } } },
    `apiKeys["${NAME}"].current.values (an entry): expected at least 6 characters of ASCII and no space`,
  ],
  [
    { [NAME]: { current: { ...KEY, label: "a-2026-11-24" }, previous: KEY } },
    `apiKeys["${NAME}"].previous: expected another key than current`,
  ],
  [
    { [NAME]: { current: { ...KEY, values: { key: "secret-of-another" } }, previous: KEY } },
    `apiKeys["${NAME}"].previous: expected another label than that of current`,
  ],
])("the keys %j are refused, and not repeated", (keys, message) => {
  const found = problemsOf(withSecret(RIGHT, keys)).join("\n");
  expect(found).toContain(message);
  expect(found).not.toMatch(/secret-of/);
});

it("has its keys in apiKeys alone, never in adopted", () => {
  const config = { ...withSecret(RIGHT), adopted: { [NAME]: "secret-of-the-key" } };
  expect(problemsOf(config)).toEqual([`adopted["${NAME}"]: expected nothing, since its keys are in apiKeys`]);
});

it("in a lab only a loopback address is asked", () => {
  const { alpaca: _, ...rest } = withSecret(RIGHT);
  const config = { ...rest, preflight: { allowOpenMarket: true }, lab: {} };
  expect(problemsOf(config).join("\n")).toContain("is not a loopback address");
});

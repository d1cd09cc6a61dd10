import { expect, it } from "vitest";
import { configWith, type Key, parse, problemsOf } from "./example";

const AUDIT = { host: "db.internal", name: "trader" };
const IN_USE = JSON.stringify({ keyId: "id-in-use", secretKey: "secret-in-use" });
const RIGHT = {
  kind: "custom",
  name: "search/api_key",
  directory: "my-kind",
  fields: ["keyId", "secretKey"],
  commands: { issue: "node issue.mjs", verify: "node verify.mjs", revoke: "node revoke.mjs" },
  restart: ["signal-service"],
};
const withSecret = (secret: object, adopted = IN_USE) =>
  configWith([["secrets"], [secret]], [["adopted"], { "search/api_key": adopted }], [["audit"], AUDIT]);

it("is right with its commands, and needs no variable by default", () => {
  expect(parse(withSecret(RIGHT)).secrets[0]).toMatchObject({ variables: [], timeout: 30_000, wait: 30_000 });
});

it.each<[Key[], unknown, string]>([
  [["fields"], [], "secrets[0].fields: expected at least one name"],
  [["fields"], ["keyId", "keyId"], "secrets[0].fields: expected each name once"],
  [["fields"], ["key id"], "secrets[0].fields[0]: expected letters and digits with a lower-case letter first"],
  [["commands"], { issue: "a", verify: "b" }, "secrets[0].commands.revoke: "],
  [["commands"], { ...RIGHT.commands, renew: "c" }, "unknown key; expected one of issue, verify, revoke"],
  [["variables"], ["A-B"], "secrets[0].variables[0]: expected the name of an environment variable"],
  [["timeout"], "30", "secrets[0].timeout: expected a duration such as 90d, 24h, 30m or 45s"],
  [["wait"], 5, "secrets[0].wait: expected a duration such as 90d, 24h, 30m or 45s"],
  [["storePaths"], { other: "a/b" }, "secrets[0].storePaths.other: expected one of `fields` (one of keyId, secretKey)"],
  [
    ["keys"],
    { other: "a" },
    "secrets[0].keys.other: expected one of `fields` (one of keyId, secretKey), found another",
  ],
  [["directory"], "", "secrets[0].directory: "],
])("%j: %j is refused by name", (path, value, expected) => {
  const secret = configWith([["secrets"], [RIGHT]]).secrets as Record<string, unknown>[];
  const changed = { ...secret[0], ...(path.includes("keys") ? { format: "json" } : {}), [String(path[0])]: value };
  const { adopted: _, ...config } = withSecret(changed);
  expect(problemsOf(config).join("\n")).toContain(expected);
});

it.each([
  "in-use",
  "[]",
  '{"keyId":"id-in-use"}',
  '{"keyId":"a","secretKey":"b","more":"c"}',
  '{"keyId":"","secretKey":"b"}',
])("values in use that are not its fields are refused, and not shown: %s", (adopted) => {
  expect(problemsOf(withSecret(RIGHT, adopted))).toEqual([
    'adopted["search/api_key"]: expected JSON with the values in use, {"keyId":"...","secretKey":"..."}, found another text',
  ]);
});

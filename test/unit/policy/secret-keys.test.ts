import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { SECRET_KEY, secretsOf } from "../../../policy/rules/values";

/** Where the inputs of steps are described; what only the config has never reaches a command. */
const FOLDERS = ["steps", "components", "stores", "kinds"];

function marked(): { readonly file: string; readonly key: string }[] {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(projectRoot(), folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith("/schema.ts"))
      .map((file) => join(folder, file)),
  );
  return files.flatMap((file) =>
    [...readFileSync(join(projectRoot(), file), "utf8").matchAll(/(\w+): (?:z\.\w+\()*secret\(/g)]
      .filter(([, key]) => key !== undefined)
      .map(([, key = ""]) => ({ file, key })),
  );
}

it("the policy pack, which imports nothing of the program, knows every key that a step marks as a secret", () => {
  const keys = marked();
  expect(new Set(keys.map(({ key }) => key)).size).toBeGreaterThan(4);
  expect(keys.filter(({ key }) => !SECRET_KEY.test(key))).toEqual([]);
});

it("the policy pack knows each value of a key that a step gets by its fields, and none of its labels", () => {
  const key = { label: "market-data-2026-11-23", values: { key: "value-of-the-key", id: "id-of-the-key" } };
  const props = { stdin: JSON.stringify({ key, purpose: "rotation" }) };
  expect(secretsOf("command:local:Command", props)).toEqual(["value-of-the-key", "id-of-the-key"]);
});

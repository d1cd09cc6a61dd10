// Copies the engine and its real plugins into one folder of the image: node collect.mjs FOLDER < toolchain.json
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const { pulumi, languageHost, plugins } = JSON.parse(readFileSync(0, "utf8"));
mkdirSync(folder, { recursive: true });
copyFileSync(pulumi.path, join(folder, "pulumi"));
copyFileSync(languageHost.path, join(folder, "pulumi-language-nodejs"));
const missing = [];
for (const [name, { kind, path, version }] of Object.entries(plugins)) {
  if (kind === "real") copyFileSync(path, join(folder, `pulumi-resource-${name}`));
  else missing.push(`${name} ${version}`);
}
if (missing.length > 0)
  console.error(`not in the image: ${missing.join(", ")}. A stack that needs one of them will not run.`);
const needed = ["random", "command"].filter((name) => plugins[name]?.kind !== "real");
if (needed.length > 0) {
  console.error(
    `expected the plugins random and command, found none of ${needed.join(" and ")}: let the build reach the plugin server, or ` +
      "put them into deploy/image/programs with their sums (docs/image.md)",
  );
  process.exit(1);
}

// What Pulumi runs: index.ts as `npm ci` and `npm run build` bundled it. Compiled by Pulumi itself, file by file, the
// program took longer to load than a preview takes. It stands here since Pulumi works in the folder of its main file.
const { existsSync, readdirSync, statSync } = require("node:fs");
const path = require("node:path");

// What a library tells its developers is nothing that a user could fix.
process.removeAllListeners("warning");

require("./sdk-on-demand.cjs");
const { log, RunError } = require("@pulumi/pulumi");

const bundle = path.join(__dirname, "dist", "index.cjs");
if (!existsSync(bundle)) throw new RunError("dist/index.cjs is missing: the program is not built. Run `npm ci`.");

const built = statSync(bundle).mtimeMs;
const newer = ["index.ts", "audit", "clients", "components", "config", "core", "kinds", "steps", "stores"]
  .flatMap((name) => (name.endsWith(".ts") ? name : sources(name)))
  .find((name) => statSync(path.join(__dirname, name)).mtimeMs > built);
if (newer !== undefined)
  log.warn(`${newer} was changed after the program was built, and this runs without the change: \`npm run build\``);

function sources(folder) {
  return readdirSync(path.join(__dirname, folder), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(folder, name));
}

module.exports = require(bundle);

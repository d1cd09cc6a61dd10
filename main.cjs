// What Pulumi runs: index.ts as `npm ci` and `npm run build` bundled it. Compiled by Pulumi itself, file by file, the
// program took longer to load than a preview takes. It stands here since Pulumi works in the folder of its main file.
const { existsSync, readdirSync, statSync } = require("node:fs");
const { createRequire, Module } = require("node:module");
const path = require("node:path");

// Half of the SDK's start goes into two modules that only serve to send functions into the cloud, which this program
// never does. They are loaded when somebody uses them.
loadWhenUsed("@npmcli/arborist");
loadWhenUsed("./typescript-shim");
const { log, RunError } = require("@pulumi/pulumi");

const bundle = path.join(__dirname, "dist", "index.cjs");
if (!existsSync(bundle)) throw new RunError("dist/index.cjs is missing: the program is not built. Run `npm ci`.");

const built = statSync(bundle).mtimeMs;
const newer = ["config.ts", "index.ts", "alpaca", "audit", "components", "config", "rotation", "steps", "vault"]
  .flatMap((name) => (name.endsWith(".ts") ? name : sources(name)))
  .find((name) => statSync(path.join(__dirname, name)).mtimeMs > built);
if (newer !== undefined)
  log.warn(`${newer} was changed after the program was built, and this runs without the change: \`npm run build\``);

/** Puts a module that the SDK requires into the cache, which becomes the real one with the first look into it. */
function loadWhenUsed(name) {
  const fromSdk = createRequire(require.resolve("@pulumi/pulumi"));
  const file = fromSdk.resolve(name);
  if (require.cache[file] !== undefined) return;
  const standIn = new Module(file);
  const real = () => {
    if (require.cache[file] === standIn) delete require.cache[file];
    return fromSdk(file);
  };
  standIn.loaded = true;
  // TypeScript's import helper copies a module's members one by one, unless it is marked like this.
  standIn.exports = new Proxy({}, { get: (_, member) => (member === "__esModule" ? true : real()[member]) });
  require.cache[file] = standIn;
}

function sources(folder) {
  return readdirSync(path.join(__dirname, folder), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(folder, name));
}

module.exports = require(bundle);

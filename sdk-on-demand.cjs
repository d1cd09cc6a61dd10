// Two thirds of the start of Pulumi's SDK go into modules that only serve to send functions into the cloud, which neither
// the program nor the CLI ever does. Require this first, and each of them is loaded when it is used (measured in
// docs/architecture.md).
const { createRequire, Module } = require("node:module");

for (const name of ["@npmcli/arborist", "./typescript-shim", "normalize-package-data"]) loadWhenUsed(name);

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
  // TypeScript's import helpers copy a module's members one by one, unless it is marked like this; they ask such a module
  // for `default`, which with CommonJS is the module itself.
  const memberOf = (loaded, member) => (member === "default" && !loaded.__esModule ? loaded : loaded[member]);
  standIn.loaded = true;
  standIn.exports = new Proxy({}, { get: (_, member) => member === "__esModule" || memberOf(real(), member) });
  require.cache[file] = standIn;
}

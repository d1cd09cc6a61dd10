// Two thirds of the start of Pulumi's SDK go into two modules that only serve to send functions into the cloud, which
// neither the program nor the CLI ever does. Whoever loads this first has them loaded when somebody uses them.
const { createRequire, Module } = require("node:module");

loadWhenUsed("@npmcli/arborist");
loadWhenUsed("./typescript-shim");
module.exports = { loadWhenUsed };

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

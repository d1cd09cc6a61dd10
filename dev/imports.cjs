// Which folder may import which; `npm run lint` checks it. Types count too, and there are no circles.

/** What a kind or a store gives to the config: its schema, its checks across keys, and data about it. */
const SCHEMAS = "^(kinds|stores)/([a-z/-]+/|)(schemas?|traits|checks|engine)[.]ts$";

/** From the lowest to the highest: each may import itself and what is below it. */
const LAYERS = [
  ["core", "^core/"],
  ["schemas", SCHEMAS],
  ["config", "^config/"],
  ["clients", "^clients/"],
  ["audit", "^audit/"],
  ["stores", "^stores/"],
  ["components", "^components/"],
  ["kinds", "^kinds/"],
];

/** What is above all layers, and what else it may import. Nothing imports steps and the program. */
const TOPS = [
  ["program", "^index[.]ts$"],
  ["library", "^library[.]ts$"],
  ["steps", "^steps/", "^steps/run-step[.]ts$"],
  ["cli", "^cli/", "^sdk-on-demand[.]cjs$"],
  ["docs", "^docs/", "^cli/(toolchain/|render/run-lines[.]ts$)"],
  ["dev", "^dev/", "^cli/"],
  ["test", "^test/", "."],
];

const below = (index) => LAYERS.slice(0, index + 1).map(([, path]) => path);
const itself = ([name, path]) => (["program", "library", "steps"].includes(name) ? [] : [path]);
const rows = [
  { name: "policy", path: "^policy/", may: ["^policy/"] },
  ...LAYERS.map(([name, path], index) => ({ name, path, may: below(index) })),
  ...TOPS.map((top) => ({
    name: top[0],
    path: top[1],
    may: [...below(LAYERS.length), ...itself(top), ...top.slice(2)],
  })),
];

/** What kinds share: folders, and how an issuer is reached by commands. */
const SHARED = "^kinds/((issued-key|issuer|own-password|probes|vault-engine)/|custom/issuer[.]ts$)";

/** A kind imports no other kind; a strategy of `postgres-password` also imports that kind. */
const kindImports = (from, may = []) => ({
  name: "a-kind-imports-no-other-kind",
  severity: "error",
  from: { path: from, pathNot: SHARED },
  to: { path: "^kinds/[a-z-]+/", pathNot: ["^kinds/$1/", SHARED, ...may] },
});

/** A schema is in the folder of its kind or store, and of another layer. */
const without = (path) => (path === SCHEMAS ? { path } : { path, pathNot: SCHEMAS });

const directions = rows.map(({ name, path, may }) => ({
  name: `imports-of-${name}`,
  severity: "error",
  from: without(path),
  to: { pathNot: may, dependencyTypesNot: ["core"] },
}));

module.exports = {
  forbidden: [
    ...directions,
    kindImports("^kinds/((?!vault-)[a-z-]+)/"),
    kindImports("^kinds/(vault-[a-z]+)/", ["^kinds/postgres-password/"]),
    // Its results depend on its arguments alone.
    {
      name: "core-is-pure",
      severity: "error",
      from: { path: "^core/" },
      to: { dependencyTypes: ["core"], pathNot: "^(crypto|zlib)$" },
    },
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
  ],
  options: {
    exclude: "(^|/)(node_modules|dist)/|[.](sh|yaml)|^docs/examples/",
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
  },
};

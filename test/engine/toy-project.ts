import { cpSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../../cli/toolchain/project";
import type { Stack } from "../../dev/lab/stack";

/** What a registry gets: a name in a list of it, and where that is imported from. */
export interface Registration {
  /** The registry, such as `stores/index.ts`. */
  readonly file: string;
  /** The constant that lists what is registered: an array or an object. */
  readonly list: string;
  readonly name: string;
  readonly from: string;
}

/** What a toy project has beyond the real one: one folder and a line in each registry. */
export interface ToyOptions {
  /** The fixture, below `test/engine`; it imports from the project by `../../../`. */
  readonly fixture: string;
  /** Where it belongs, two folders deep: `stores/toy`. */
  readonly folder: string;
  readonly registrations: readonly Registration[];
}

/** A copy of the project with something added to it, checked by the compiler and built. */
export interface ToyProject {
  readonly root: string;
  /** Lets a stack run this project: its program, its steps, its plugins and its `rotation`. */
  runs(stack: Stack): Promise<void>;
  remove(): void;
}

/** What the program, the steps, the CLI and the lab are built from. */
const SOURCES = [
  ...["core", "config", "clients", "stores", "components", "kinds", "steps", "audit", "cli", "dev", "deploy"],
  ...["index.ts", "library.ts", "main.cjs", "sdk-on-demand.cjs"],
  ...["package.json", "tsconfig.json", "Pulumi.yaml"],
];

/** Copies the project, adds the fixture, and builds it as `npm run build` does. @throws where it does not compile */
export async function toyProject({ fixture, folder, registrations }: ToyOptions): Promise<ToyProject> {
  const [checkout, root] = [projectRoot(), mkdtempSync(join(tmpdir(), "secret-rotation-toy-"))];
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    for (const name of SOURCES) cpSync(join(checkout, name), join(root, name), { recursive: true });
    symlinkSync(join(checkout, "node_modules"), join(root, "node_modules"));
    await addFixture(join(checkout, "test", "engine", fixture), join(root, folder));
    for (const registration of registrations) register(root, registration);
    // Types too: what must be said of everything that is registered is said.
    const types = ["--project", "tsconfig.json", "--incremental", "false"];
    await Promise.all([run(root, "node_modules/typescript/bin/tsc", ...types), run(root, "dev/build.mjs")]);
  } catch (error) {
    remove();
    throw error;
  }
  return { root, remove, runs: (stack) => link(stack, checkout, root) };
}

async function addFixture(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  for (const file of await readdir(from)) {
    const text = readFileSync(join(from, file), "utf8").replaceAll('"../../../', '"../../');
    writeFileSync(join(to, file), text);
  }
}

function register(root: string, { file, list, name, from }: Registration): void {
  const path = join(root, file);
  const text = readFileSync(path, "utf8");
  const added = text.replace(new RegExp(`(const ${list}\\b[^=]*= [[{])`), `$1 ${name}, `);
  if (added === text) throw new Error(`${file} has no list ${list}`);
  writeFileSync(path, `import { ${name} } from "${from}";\n${added}`);
}

async function run(cwd: string, ...args: readonly string[]): Promise<void> {
  const { exitCode, all } = await execa(process.execPath, args, { cwd, all: true, reject: false });
  if (exitCode !== 0) throw new Error(`${args.join(" ")}: ${all}`);
}

/** The stack's folder is made of links to the checkout. */
async function link({ projectDir }: Stack, checkout: string, root: string): Promise<void> {
  for (const name of ["main.cjs", "sdk-on-demand.cjs", "dist", "Pulumi.yaml"]) {
    const path = join(projectDir, name);
    if (!lstatSync(path).isSymbolicLink()) throw new Error(`expected a link to ${join(checkout, name)} at ${path}`);
    rmSync(path);
    symlinkSync(join(root, name), path);
  }
}

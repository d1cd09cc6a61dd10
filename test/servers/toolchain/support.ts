import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import { Progress } from "../../../cli/toolchain/progress";
import { projectRoot } from "../../../cli/toolchain/project";

/** A new folder that goes when the test ends. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "toolchain-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes an executable shell script. */
export async function script(folder: string, name: string, body: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}

/** Progress that only collects its lines. */
export function silent(): { progress: Progress; lines: string[] } {
  const lines: string[] = [];
  return { progress: new Progress({ line: (text) => void lines.push(text) }), lines };
}

/** Bundles modules of the toolchain for a process of their own, apart from dist/, and returns their folder. */
export async function bundled(...modules: readonly string[]): Promise<string> {
  const root = projectRoot();
  await mkdir(path.join(root, "node_modules"), { recursive: true });
  // Inside the checkout, because the modules look for their package.json upwards.
  const outdir = await mkdtemp(path.join(root, "node_modules", ".toolchain-test-"));
  onTestFinished(() => rm(outdir, { recursive: true, force: true }));
  await build({
    entryPoints: modules.map((name) => path.join(root, "cli", "toolchain", `${name}.ts`)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: "error",
  });
  return outdir;
}

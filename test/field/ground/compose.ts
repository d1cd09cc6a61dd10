import { existsSync } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { cacheRoot } from "../../../cli/toolchain/cache";
import { projectRoot } from "../../../cli/toolchain/project";
import { guardFolder } from "../../../dev/lab/guard";
import { mirror } from "./debian";
import { IMAGE } from "./docker";
import { DEPLOY_USER, type Machine } from "./machine";
import type { Site } from "./platform";

/** Debian 12 has Docker Compose 1 only, which is no plugin of `docker`; Debian 13 has version 2. */
const SUITE = "trixie";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const PLUGIN = "/usr/libexec/docker/cli-plugins/docker-compose";

/** Docker Compose of Debian 13, as a plugin of `docker`; apt downloads it once, into the toolchain's cache. */
export async function composePlugin(): Promise<string> {
  const kept = join(cacheRoot(process.env), `field-docker-compose-${SUITE}`);
  if (existsSync(kept)) return kept;
  const work = `${kept}.${process.pid}`;
  const release = guardFolder(work);
  try {
    for (const folder of ["lists/partial", "archives/partial", "package"])
      await mkdir(join(work, folder), { recursive: true });
    const source = `deb [signed-by=${KEYRING}] ${await mirror()} ${SUITE} main\n`;
    await writeFile(join(work, "sources.list"), source);
    const settings = {
      "Dir::Etc::sourcelist": join(work, "sources.list"),
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::State::lists": join(work, "lists"),
      "Dir::Cache": work,
      "APT::Sandbox::User": "root",
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    const run = (command: string, args: string[]) => execa(command, args, { cwd: work, stdin: "ignore" });
    await run("apt-get", [...options, "update"]);
    await run("apt-get", [...options, "download", "docker-compose"]);
    const file = (await readdir(work)).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("expected a package docker-compose, found none");
    await run("dpkg-deb", ["-x", file, "package"]);
    await rename(join(work, "package", PLUGIN), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
    release();
  }
  return kept;
}

/** A service of a compose file. `files`: of this machine, and where the container has them. */
export interface ComposedService {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

/** Where the compose file is on its host. */
export const COMPOSE_FILE = "/srv/trading/compose.yaml";

/** A host with Docker Compose, whose account may use Docker, with services that run. */
export async function startCompose(
  { boot }: Site,
  address: string,
  services: Readonly<Record<string, ComposedService>>,
): Promise<Machine> {
  const { stdout: docker } = await execa("sh", ["-c", "command -v docker"]);
  const socket = address.replace("unix://", "");
  const machine = await boot("docker-1", {
    [socket]: "/var/run/docker.sock",
    [await realpath(docker)]: "/usr/bin/docker",
    [await composePlugin()]: PLUGIN,
  });
  await machine.run(`groupadd -f docker && chgrp docker /var/run/docker.sock && usermod -aG docker ${DEPLOY_USER}`);
  const described = Object.entries(services).map(([name, { command, environment, files }]) => [
    name,
    {
      ...{ image: IMAGE, network_mode: "host", init: true, command, environment },
      volumes: Object.entries(files).map(([from, to]) => `${from}:${to}`),
    },
  ]);
  await machine.write(COMPOSE_FILE, stringify({ name: "trading", services: Object.fromEntries(described) }));
  await machine.run(`docker compose --file ${COMPOSE_FILE} up --detach`);
  return machine;
}

/** The packages of this checkout, for a service in Node.js. */
export const nodeModules = () => realpath(join(projectRoot(), "node_modules"));

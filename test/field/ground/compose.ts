import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { projectRoot } from "../../../cli/toolchain/project";
import { IMAGE } from "./docker";
import { DEPLOY_USER, type Machine } from "./machine";
import { unpacked } from "./packages";
import type { Site } from "./platform";

/** Debian 12 has Docker Compose 1 only, which is no plugin of `docker`; Debian 13 has version 2. */
const SUITE = "trixie";
const PLUGIN = "/usr/libexec/docker/cli-plugins/docker-compose";

/** Docker Compose of Debian 13, as a plugin of `docker`. */
const composePlugin = async () => join(await unpacked(SUITE, ["docker-compose"]), PLUGIN);

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

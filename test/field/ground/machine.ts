import { randomBytes } from "node:crypto";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import type { SshKeys } from "../../../dev/lab/ssh-keys";
import { type Docker, IMAGE } from "./docker";

/** A Debian host that has booted: systemd, OpenSSH, polkit, sudo. It shares the loopback of this machine. */
export interface Machine {
  readonly name: string;
  /** A loopback address of its own. */
  readonly address: string;
  /** Entry of the config key `hosts`. */
  readonly config: { address: string; port: number; user: string; hostKey: string };
  /** Runs a shell command as root and returns what it printed. Throws if it fails. */
  run(command: string): Promise<string>;
  /** Writes a file as root. */
  write(path: string, content: string, mode?: string): Promise<void>;
}

/** The account that the pipeline uses on every host; it has no rights but those that a test gives it. */
export const DEPLOY_USER = "deploy";

/** Boots a host on a loopback address such as 127.0.0.11. `shared`: files of this machine that it has, and where. */
export async function startMachine(
  docker: Docker,
  name: string,
  address: string,
  keys: SshKeys,
  shared: Readonly<Record<string, string>> = {},
): Promise<Machine> {
  const container = `${name}-${randomBytes(4).toString("hex")}`;
  const port = await freePort();
  const rights = [
    "--network",
    "host",
    "--cap-add",
    "SYS_ADMIN",
    "--cgroupns=host",
    "--security-opt",
    "seccomp=unconfined",
  ];
  const mounts = ["-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run", "--tmpfs", "/run/lock"];
  const files = Object.entries(shared).flatMap(([from, to]) => ["-v", `${from}:${to}`]);
  await docker.run(["create", "--name", container, "--hostname", name, ...rights, ...mounts, ...files, IMAGE]);
  const inside = (input: string | undefined, ...command: string[]) =>
    docker.run(["exec", "-i", container, ...command], input === undefined ? { stdin: "ignore" } : { input });
  const machine: Machine = {
    name,
    address,
    config: { address, port, user: DEPLOY_USER, hostKey: "" },
    run: (command) => inside(undefined, "sh", "-ec", command),
    write: async (path, content, mode = "0644") => {
      const script = 'mkdir -p "$(dirname "$1")"; cat > "$1"; chmod "$2" "$1"';
      await inside(content, "sh", "-ec", script, "sh", path, mode);
    },
  };
  await docker.run(["start", container]);
  await poll(async () => /running|degraded/.test(await machine.run("systemctl is-system-running || true")), {
    what: `${name} has booted`,
    limitMs: 120_000,
  });
  await machine.run(`useradd --create-home --shell /bin/bash ${DEPLOY_USER}`);
  await machine.write(`/home/${DEPLOY_USER}/.ssh/authorized_keys`, `${keys.public}\n`);
  await machine.run(`chown -R ${DEPLOY_USER}: /home/${DEPLOY_USER}/.ssh && chmod 700 /home/${DEPLOY_USER}/.ssh`);
  await machine.write("/etc/ssh/sshd_config.d/field.conf", `Port ${port}\nListenAddress ${address}\n`);
  await machine.run("systemctl unmask ssh && systemctl start ssh");
  const [type, key] = (await machine.run("cat /etc/ssh/ssh_host_ed25519_key.pub")).split(" ");
  machine.config.hostKey = `${type} ${key}`;
  return machine;
}

/** Lets the pipeline's account restart one service by sudo, and nothing else. */
export const allowRestart = async (machine: Machine | undefined, service: string): Promise<void> =>
  machine?.write(
    "/etc/sudoers.d/secret-rotation",
    `deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart ${service}\n`,
    "0440",
  );

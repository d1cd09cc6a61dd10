import { join } from "node:path";
import { execa, type Options } from "execa";
import { poll } from "../../../dev/lab/poll";
import { logTail, startProcess } from "../../../dev/lab/processes";
import { debianTar } from "./debian";

/** A Docker engine of its own, without a bridge: its containers share the machine's loopback. */
export interface Docker {
  /** For `DOCKER_HOST`. */
  readonly address: string;
  /** Runs `docker` and returns what it printed. Throws if it fails. */
  run(args: readonly string[], options?: Options): Promise<string>;
  /** Removes every container and ends the engine. */
  stop(): Promise<void>;
}

/** The name of the image that {@link startDocker} imports: a Debian with systemd as its first process. */
export const IMAGE = "debian-systemd";

/** Starts an engine that keeps everything below `dir`, with {@link IMAGE} in it. */
export async function startDocker(dir: string): Promise<Docker> {
  const tar = await debianTar();
  const [socket, logFile] = [join(dir, "docker.sock"), join(dir, "dockerd.log")];
  const address = `unix://${socket}`;
  const folders = ["--data-root", join(dir, "docker"), "--exec-root", join(dir, "exec"), "--pidfile", `${socket}.pid`];
  const network = ["--bridge", "none", "--iptables=false", "--ip6tables=false"];
  const engine = await startProcess({
    command: "dockerd",
    args: [...folders, ...network, "-H", address],
    logFile,
  });
  const run: Docker["run"] = async (args, options = {}) => {
    const { stdout } = await execa("docker", [...args], { ...options, env: { DOCKER_HOST: address } });
    return String(stdout ?? "");
  };
  const stop = async () => {
    const all = (await run(["ps", "-aq"]).catch(() => "")).split("\n").filter((id) => id !== "");
    if (all.length > 0) await run(["rm", "-f", ...all]).catch(() => undefined);
    await engine.stop(30_000);
    // The engine leaves the mounts of a container that it had to kill.
    await execa("sh", ["-c", `grep -o ' ${dir}[^ ]*' /proc/mounts | sort -r | xargs -r umount -l`], { reject: false });
  };
  try {
    await poll(() => run(["info"]), { what: `dockerd (its log: ${logTail(logFile)})`, limitMs: 60_000 });
    await run(["import", "--change", 'CMD ["/sbin/init"]', tar, IMAGE]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, run, stop };
}

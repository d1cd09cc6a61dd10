import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";

const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find((file) => existsSync(file));

/** Whether this machine has OpenSSH's server. */
export const hasSshd = SSHD !== undefined;

/** OpenSSH's server on a loopback address, with a folder for its keys. */
export class Sshd {
  private readonly dir = mkdtempSync(join(tmpdir(), "openssh-"));
  private sshd: ChildProcess | undefined;
  port = 0;
  readonly user = userInfo().username;

  constructor(readonly address = "127.0.0.1") {
    if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  }

  readonly file = (name: string) => join(this.dir, name);
  readonly read = (name: string) => readFileSync(this.file(name), "utf8");
  readonly write = (name: string, text: string, mode = 0o644) => writeFileSync(this.file(name), text, { mode });

  /** Makes a pair of keys, `NAME` and `NAME.pub`. */
  keygen(type: string, name: string): void {
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "test", "-f", this.file(name)]);
  }

  /** Starts with these keys; `authorized` has the clients' keys. */
  async start(hostKeys: readonly string[], more: readonly string[] = [], on?: number): Promise<void> {
    this.port = on ?? (await freePort(this.address));
    const lines = [
      `Port ${this.port}`,
      `ListenAddress ${this.address}`,
      ...hostKeys.map((name) => `HostKey ${this.file(name)}`),
      `AuthorizedKeysFile ${this.file("authorized")}`,
      "StrictModes no",
      "PidFile none",
      "PermitRootLogin yes",
      ...more,
    ];
    this.write("sshd_config", `${lines.join("\n")}\n`);
    this.sshd = spawn(SSHD ?? "", ["-D", "-e", "-f", this.file("sshd_config")], { stdio: "ignore" });
    const listens = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(this.port, this.address, () => resolve(true)).on("error", () => resolve(false));
        socket.on("connect", () => socket.destroy());
      });
    await poll(listens, { what: "sshd", limitMs: 60_000 });
  }

  async stop(): Promise<void> {
    const { sshd } = this;
    if (sshd === undefined) return;
    this.sshd = undefined;
    const ended = new Promise((resolve) => sshd.once("exit", resolve));
    sshd.kill();
    await ended;
  }

  /** Ends the server and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true });
  }
}

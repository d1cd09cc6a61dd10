import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheRoot } from "../../../cli/toolchain/cache";
import { projectRoot } from "../../../cli/toolchain/project";
import { guardFolder } from "../../../dev/lab/guard";

/** What a host of the proving ground has, from the distribution. */
const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "libpam-systemd", "polkitd", "pkexec", "sudo", "openssh-server"],
  ...["ca-certificates", "curl", "procps", "python3", "cron", "postgresql-15", "pgbouncer", "haproxy"],
];

const SUITE = "bookworm";

/** What would take ports of this machine as soon as a host boots; a test starts what it wants. */
const MASKED = ["ssh.service", "postgresql.service", "pgbouncer.service", "haproxy.service", "cron.service"];

/** Why no host can be made here; undefined if one can. */
export async function withoutDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "hosts are made with debootstrap, which needs root";
  for (const command of ["dockerd", "docker", "debootstrap"]) {
    const { failed } = await execa("sh", ["-c", `command -v ${command}`], { reject: false });
    if (failed) return `${command} is missing: apt-get install docker.io debootstrap`;
  }
  return undefined;
}

/**
 * A tar file with a Debian system that boots, and below `/opt/service` the Python packages of `services/requirements.txt`.
 * It is made once (some minutes) and kept in the toolchain's cache.
 */
export async function debianTar(): Promise<string> {
  const requirements = join(projectRoot(), "test/field/services/requirements.txt");
  const key = createHash("sha256")
    .update(JSON.stringify([SUITE, PACKAGES]))
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const root = cacheRoot(process.env);
  const tar = join(root, `field-debian-${key}.tar`);
  if (existsSync(tar)) return tar;
  const work = join(root, `field-debian-${key}.${randomBytes(4).toString("hex")}`);
  const release = guardFolder(work);
  await mkdir(work, { recursive: true });
  try {
    const system = join(work, "system");
    const run = (command: string, args: string[]) => execa(command, args, { stdin: "ignore", timeout: 1_200_000 });
    await run("debootstrap", ["--variant=minbase", `--include=${PACKAGES.join(",")}`, SUITE, system, await mirror()]);
    const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"];
    const target = ["--only-binary", ":all:", "--python-version", "3.11", "--target", join(system, "opt/service/lib")];
    await run("python3", [...pip, ...target, "--requirement", requirements]);
    for (const unit of MASKED) await symlink("/dev/null", join(system, "etc/systemd/system", unit));
    await run("tar", ["-C", system, "-cf", `${work}.tar`, "--exclude=./var/cache/apt/archives/*.deb", "."]);
    await rename(`${work}.tar`, tar);
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(`${work}.tar`, { force: true });
    release();
  }
  return tar;
}

/** The mirror that this machine's own apt uses for the suite. */
export async function mirror(): Promise<string> {
  const { stdout } = await execa("apt-get", ["indextargets", "--format", "$(REPO_URI) $(CODENAME)"]);
  const found = stdout.split("\n").find((line) => line.endsWith(` ${SUITE}`));
  if (found === undefined)
    throw new Error(`expected a source of ${SUITE} in apt's lists, found none; run apt-get update`);
  return found.split(" ")[0] as string;
}

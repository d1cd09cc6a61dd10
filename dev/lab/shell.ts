import { mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { cacheRoot } from "../../cli/toolchain/cache";
import { projectRoot } from "../../cli/toolchain/project";
import { quoted } from "../../core/shell-word";
import type { Toolchain } from "../toolchain/resolve";
import type { Lab } from "./lab";
import type { Stack } from "./stack";

/** Variables of the caller's own platform that would lead a client away from the lab's. */
const FOREIGN = [
  ...["AWS_PROFILE", "AWS_SESSION_TOKEN", "PGSERVICE", "PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGHOSTADDR"],
  ...["PULUMI_STACK", "PULUMI_CONFIG_PASSPHRASE_FILE", "VAULT_NAMESPACE", "VAULT_CACERT", "BAO_ADDR", "BAO_TOKEN"],
];

/**
 * Writes a file that a POSIX shell reads with `. FILE`: all that `pulumi`, `psql`, `bao`, `vault`, `aws` and `rotation`
 * need to work on the lab. It holds credentials: only this account may read it and its folder.
 *
 * @returns its path
 */
export async function writeEnvFile(lab: Lab, stack: Stack, tools: Toolchain): Promise<string> {
  const dir = join(lab.dir, "shell");
  const [bin, spare] = [join(dir, "bin"), join(dir, "spare")];
  await mkdir(dir, { mode: 0o700 });
  await Promise.all([mkdir(bin), mkdir(spare)]);
  await writeRotation(join(bin, "rotation"));
  if (tools.openbao !== undefined) {
    const { path } = tools.openbao;
    // OpenBao's client speaks the same protocol as Vault's, which may not be installed.
    for (const name of ["bao", "vault"]) await symlink(path, join(spare, name));
  }
  const { PATH: start = "", ...variables } = stack.env;
  const engine = [tools.pulumi, tools.languageHost].filter(({ source }) => source !== "PATH");
  const offline = Object.values(tools.plugins).filter(({ kind }) => kind === "offline");
  const folders = (list: readonly { path: string }[]) => [...new Set(list.map(({ path }) => dirname(path)))];
  const launchers = folders(offline);
  // Behind everything that the shell has: a real plugin on PATH is the one that the engine takes.
  const behind = [...start.split(delimiter).filter((folder) => !launchers.includes(folder)), ...launchers, spare];
  const file = join(dir, "env.sh");
  const lines = [
    `unset ${FOREIGN.join(" ")}`,
    `export SECRET_ROTATION_CACHE=${quoted(cacheRoot(process.env))}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `export PATH=${quoted([bin, ...folders(engine)].join(delimiter))}:"\${PATH:-}":${quoted(behind.join(delimiter))}`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

/** The CLI of this checkout, without npx. */
function writeRotation(file: string): Promise<void> {
  const cli = join(projectRoot(), "dist", "cli", "rotation.mjs");
  return writeFile(file, `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(cli)} "$@"\n`, { mode: 0o755 });
}

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Signer, Verifier } from "../core/dsse";
import { StepError } from "../core/errors";

/** Keeps a signature of this program from being one of another (`git`, `file`). */
const NAMESPACE = "secret-rotation";

interface Ran {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function sshKeygen(args: readonly string[], input: Buffer): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn("ssh-keygen", args, { stdio: ["pipe", "pipe", "pipe"] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.once("error", (error) =>
      reject(new StepError(`ssh-keygen cannot be run (${error.message}): install OpenSSH 8.2 or newer`)),
    );
    child.once("close", (status) =>
      resolve({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8") }),
    );
    child.stdin.end(input);
  });
}

/** Signs with `ssh-keygen -Y sign`. @throws StepError if the key cannot sign */
export function sshSigner(key: string): Signer {
  return {
    keyid: `ssh:${key.split("/").at(-1)}`,
    async sign(bytes) {
      const { status, stdout, stderr } = await sshKeygen(["-Y", "sign", "-n", NAMESPACE, "-f", key], bytes);
      if (status === 0) return stdout;
      throw new StepError(`the key ${key} does not sign: ${lastLine(stderr)}`);
    },
  };
}

/** The public part of a key's file: what follows the principal in a file of allowed signers. @throws StepError */
export async function sshPublicKey(key: string): Promise<string> {
  const { status, stdout, stderr } = await sshKeygen(["-y", "-f", key], Buffer.alloc(0));
  if (status !== 0) throw new StepError(`the key ${key} cannot be read: ${lastLine(stderr)}`);
  return stdout.toString("utf8").trim();
}

/**
 * Verifies with `ssh-keygen -Y verify`.
 *
 * @param allowed the text of a file of allowed signers: a principal and its public key in each line
 */
export function sshVerifier(allowed: string): Verifier {
  return async (bytes, signature) => {
    const folder = await mkdtemp(join(tmpdir(), "rotation-signature-"));
    const [signers, sig] = [join(folder, "allowed"), join(folder, "sig")];
    try {
      await Promise.all([writeFile(signers, allowed), writeFile(sig, signature)]);
      const found = await sshKeygen(["-Y", "find-principals", "-s", sig, "-f", signers], bytes);
      const [principal] = found.stdout.toString("utf8").split("\n");
      if (found.status !== 0 || !principal) return undefined;
      const args = ["-Y", "verify", "-n", NAMESPACE, "-I", principal, "-s", sig, "-f", signers];
      const { status } = await sshKeygen(args, bytes);
      return status === 0 ? principal : undefined;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

const lastLine = (text: string) => text.trim().split("\n").at(-1) ?? "";

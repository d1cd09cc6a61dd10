import { spawn } from "node:child_process";
import { AuditLogError } from "../../errors";
import type { AnchorPlace } from "./place";

/** An identity for the tags: who signed is in the anchor itself. */
const IDENTITY = ["-c", "user.name=secret-rotation", "-c", "user.email=secret-rotation@localhost"];

/** An annotated tag of an empty tree for each anchor; with a remote, there too. */
export function gitPlace(repository: string, remote: string | undefined, stack: string): AnchorPlace {
  const prefix = `refs/tags/rotation-audit/${stack}`;
  const git = (args: readonly string[], input = "") => run(["-C", repository, ...IDENTITY, ...args], input);
  return {
    async list() {
      // Git refuses to replace a tag that is here by another of the remote.
      if (remote !== undefined) await git(["fetch", "--quiet", "--no-tags", remote, `${prefix}/*:${prefix}/*`]);
      const found = await git(["for-each-ref", "--sort=refname", "--format=%(contents:subject)", prefix]);
      return found.split("\n").filter((line) => line !== "");
    },
    async keep(sequence, line) {
      const ref = `${prefix}/${String(sequence).padStart(8, "0")}`;
      const name = ref.slice("refs/tags/".length);
      const tree = (await git(["mktree"])).trim();
      await git(["tag", "--annotate", "--no-sign", "--file=-", "--cleanup=verbatim", name, tree], `${line}\n`);
      if (remote !== undefined) await git(["push", "--quiet", remote, `${ref}:${ref}`]);
    },
  };
}

function run(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
    const child = spawn("git", args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.once("error", reject);
    child.once("close", (status) => {
      if (status === 0) return resolve(Buffer.concat(out).toString("utf8"));
      reject(
        new AuditLogError(Buffer.concat(err).toString("utf8").trim().split("\n").at(-1) || `git ended with ${status}`),
      );
    });
    child.stdin.end(input);
  });
}

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepError } from "../core/errors";
import { publicHttp } from "./http";

/** What a time stamp is over: SHA-256, in hex. */
export type Digest = string;

/**
 * A time stamp of an authority (RFC 3161), as its whole answer in base64.
 *
 * @throws StepError if the authority gives none, or `openssl` is missing
 */
export async function timestampOf(url: string, digest: Digest): Promise<string> {
  const query = await openssl(["ts", "-query", "-digest", digest, "-sha256", "-cert"]);
  if (query.status !== 0) throw new StepError(`openssl makes no query for a time stamp: ${query.stderr}`);
  const headers = { "content-type": "application/timestamp-query", accept: "application/timestamp-reply" };
  const http = await publicHttp();
  const asked = { body: query.stdout, headers, timeout: { request: 10_000 }, retry: { limit: 0 } };
  const reply = Buffer.from(await http.post(url, asked).buffer());
  // A refusal is an answer too.
  await withFile(reply, async (file) => {
    const { status, stderr } = await openssl(["ts", "-reply", "-in", file, "-text"]);
    if (status !== 0) throw new StepError(`${url} answered without a time stamp: ${stderr}`);
  });
  return reply.toString("base64");
}

/**
 * When an authority stamped a digest; undefined if the stamp is over another one, or by none of the trusted authorities.
 *
 * @param authorities a file with their root certificates (PEM)
 */
export function verifyTimestamp(stamp: string, digest: Digest, authorities: string): Promise<Date | undefined> {
  return withFile(Buffer.from(stamp, "base64"), async (file) => {
    const verified = await openssl(["ts", "-verify", "-digest", digest, "-in", file, "-CAfile", authorities]);
    if (verified.status !== 0) return undefined;
    const { stdout } = await openssl(["ts", "-reply", "-in", file, "-text"]);
    const [, time] = /^Time stamp: (.+)$/m.exec(stdout.toString("utf8")) ?? [];
    const at = new Date(time ?? "");
    return Number.isNaN(at.getTime()) ? undefined : at;
  });
}

async function withFile<T>(bytes: Buffer, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "rotation-timestamp-"));
  try {
    const file = join(folder, "reply.tsr");
    await writeFile(file, bytes);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function openssl(args: readonly string[]): Promise<{ status: number | null; stdout: Buffer; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", (error) => reject(new StepError(`openssl cannot be run (${error.message}): install OpenSSL`)));
    child.once("close", (status) => {
      const stderr = Buffer.concat(err).toString("utf8").trim().split("\n")[0] ?? "";
      resolve({ status, stdout: Buffer.concat(out), stderr });
    });
  });
}

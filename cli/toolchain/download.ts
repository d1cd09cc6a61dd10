import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf, reasonOf } from "../../core/errors";
import type { Made } from "./cache";
import type { Progress } from "./progress";
import { run } from "./run";

/** Where the official release and its checksums are; tests put a server of their own here. */
export interface ReleaseAddress {
  /** The published `SHA512SUMS` of the release. */
  checksums: string;
  /** Folders that hold the archive, the first that answers is used. */
  archives: readonly string[];
}

export const officialRelease = (version: string): ReleaseAddress => ({
  checksums: `https://github.com/pulumi/pulumi/releases/download/v${version}/SHA512SUMS`,
  archives: ["https://get.pulumi.com/releases/sdk", `https://github.com/pulumi/pulumi/releases/download/v${version}`],
});

/** Name of the official archive for a platform; undefined if there is none. */
export function archiveName(version: string, platform = process.platform, arch = process.arch): string | undefined {
  const supported = (platform === "linux" || platform === "darwin") && (arch === "x64" || arch === "arm64");
  return supported ? `pulumi-v${version}-${platform}-${arch}.tar.gz` : undefined;
}

/** Time limits in milliseconds: for a server to answer at all, and for a started transfer to go on. */
export interface Limits {
  answer: number;
  stall: number;
}

export const usualLimits: Limits = { answer: 4_000, stall: 20_000 };

/** A request that must answer, and go on, in time. @throws Error for anything but 2xx */
export async function open(url: string, limits: Limits): Promise<{ response: Response; keepAlive: () => void }> {
  const controller = new AbortController();
  let timer = setTimeout(() => controller.abort(new Error("no answer in time")), limits.answer);
  const keepAlive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`${url}: the transfer stalled`)), limits.stall);
    timer.unref();
  };
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    keepAlive();
    return { response, keepAlive };
  } catch (error) {
    clearTimeout(timer);
    throw new Error(`${url}: ${reasonOf(error)}`);
  }
}

/** The published SHA-512 of an archive, as hexadecimal. */
export async function publishedChecksum(url: string, archive: string, limits = usualLimits): Promise<string> {
  const { response } = await open(url, limits);
  for (const line of (await response.text()).split("\n")) {
    const match = /^([0-9a-f]{128})\s+\*?(?:\.\/)?(\S+)$/i.exec(line.trim());
    if (match?.[2] === archive && match[1] !== undefined) return match[1].toLowerCase();
  }
  throw new Error(`${url} has no SHA-512 for ${archive}`);
}

/** Saves what the address answers. @returns its sum, hexadecimal @throws Error as {@link open} does */
export async function save(url: string, file: string, limits: Limits, algorithm = "sha512"): Promise<string> {
  const { response, keepAlive } = await open(url, limits);
  if (response.body === null) throw new Error(`${url}: empty answer`);
  const hash = createHash(algorithm);
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      keepAlive();
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), tap, createWriteStream(file));
  return hash.digest("hex");
}

async function saveFirst(urls: readonly string[], file: string, limits: Limits): Promise<{ url: string; sum: string }> {
  const failures: string[] = [];
  for (const url of urls) {
    try {
      return { url, sum: await save(url, file, limits) };
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new Error(failures.join("; "));
}

/**
 * Downloads the official Pulumi release, checks its published SHA-512 and unpacks it into `folder`/bin.
 * @throws Error when a server does not answer within seconds, or when the checksum differs (nothing is unpacked then)
 */
export async function downloadEngine(
  folder: string,
  options: { version: string; env: NodeJS.ProcessEnv; progress: Progress; release?: ReleaseAddress; limits?: Limits },
): Promise<Made> {
  const { version, env, progress, release = officialRelease(options.version), limits = usualLimits } = options;
  const archive = archiveName(version);
  if (archive === undefined) throw new Error(`no official archive for ${process.platform} on ${process.arch}`);
  const expected = await publishedChecksum(release.checksums, archive, limits);
  const file = path.join(folder, archive);
  const urls = release.archives.map((base) => `${base}/${archive}`);
  const { url, sum } = await progress.during(`downloading Pulumi v${version}`, undefined, () =>
    saveFirst(urls, file, limits),
  );
  if (sum !== expected) {
    await rm(file, { force: true });
    throw new Error(`checksum mismatch, refused: ${url} has SHA-512 ${sum}, its release publishes ${expected}`);
  }
  const bin = path.join(folder, "bin");
  await mkdir(bin, { recursive: true });
  await run("tar", ["-xzf", file, "-C", bin, "--strip-components=1"], { env, timeout: 120_000 });
  await rm(file);
  return {
    source: "download",
    versions: { pulumi: version, languageHost: version },
    files: { pulumi: "bin/pulumi", languageHost: "bin/pulumi-language-nodejs" },
  };
}

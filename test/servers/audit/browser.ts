import { execFile } from "node:child_process";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createBrotliDecompress } from "node:zlib";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";
import { findOnPath } from "../../../cli/toolchain/find";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

/** A headless Chromium: the one on PATH, and else, on Linux, the one that an npm package carries. */
export async function startBrowser(): Promise<{ browser: Browser; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "browser-"));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const browser = await chromium.launch({
      args: ["--no-sandbox"],
      ...((await installed()) ?? (await unpacked(dir))),
    });
    return { browser, stop: () => browser.close().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function installed(): Promise<LaunchOptions | undefined> {
  for (const name of NAMES) {
    const executablePath = await findOnPath(name, process.env);
    if (executablePath) return { executablePath };
  }
  return undefined;
}

async function unpacked(dir: string): Promise<LaunchOptions> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`expected Chromium or Chrome on PATH (${NAMES.join(", ")}), found none; install one`);
  }
  const packed = join(createRequire(import.meta.url).resolve("@sparticuz/chromium"), "../../../bin");
  const unpack = (name: string, to: string, mode?: number) =>
    pipeline(
      createReadStream(join(packed, `${name}.br`)),
      createBrotliDecompress(),
      createWriteStream(join(dir, to), { mode }),
    );
  await Promise.all([
    unpack("chromium", "chromium", 0o755),
    ...["al2023.tar", "fonts.tar"].map((tar) => unpack(tar, tar)),
  ]);
  for (const tar of ["al2023.tar", "fonts.tar"]) await promisify(execFile)("tar", ["-xf", tar], { cwd: dir });
  const fonts = `<fontconfig><dir>${join(dir, "fonts")}</dir><cachedir>${join(dir, "cache")}</cachedir></fontconfig>`;
  await writeFile(join(dir, "fonts.conf"), `<?xml version="1.0"?>${fonts}`);
  const env = { ...process.env, LD_LIBRARY_PATH: join(dir, "lib"), FONTCONFIG_PATH: dir };
  return { executablePath: join(dir, "chromium"), env };
}

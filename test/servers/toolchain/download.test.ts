import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { archiveName, downloadEngine, publishedChecksum } from "../../../cli/toolchain/download";
import { run } from "../../../cli/toolchain/run";
import { script, silent, testFolder } from "./support";

const version = "9.9.9";
const archive = archiveName(version, "linux", "x64") ?? "";
const here = archiveName(version) ?? "";
const sha512 = (content: Buffer) => createHash("sha512").update(content).digest("hex");

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An archive laid out as the official one: pulumi/pulumi and pulumi/pulumi-language-nodejs. */
async function officialArchive(): Promise<Buffer> {
  const folder = await testFolder();
  await script(path.join(folder, "pulumi"), "pulumi", `echo v${version}`);
  await script(path.join(folder, "pulumi"), "pulumi-language-nodejs", "true");
  const file = path.join(folder, "archive.tar.gz");
  await run("tar", ["-czf", file, "-C", folder, "pulumi"], { env: process.env });
  return await readFile(file);
}

const release = (content: Buffer, sums: string) =>
  serve((request, response) => {
    if (request.url === "/SHA512SUMS") response.end(sums);
    else if (request.url === `/files/${here}`) response.end(content);
    else response.writeHead(404).end();
  });

const get = (folder: string, base: string, progress = silent().progress) =>
  downloadEngine(folder, {
    version,
    env: process.env,
    progress,
    release: { checksums: `${base}/SHA512SUMS`, archives: [`${base}/gone`, `${base}/files`] },
    limits: { answer: 2_000, stall: 2_000 },
  });

test("an archive with the published checksum is unpacked", async () => {
  const content = await officialArchive();
  const base = await release(content, `${"0".repeat(128)}  other.tar.gz\n${sha512(content)}  ${here}\n`);
  const folder = await testFolder();
  const made = await get(folder, base);
  expect(made).toMatchObject({ source: "download", versions: { pulumi: version, languageHost: version } });
  expect(await run(path.join(folder, made.files.pulumi ?? ""), ["version"], { env: process.env })).toBe(`v${version}`);
  expect(await readdir(folder)).toEqual(["bin"]);
});

test("an archive with another checksum is refused and removed", async () => {
  const content = await officialArchive();
  const base = await release(content, `${"ab".repeat(64)}  ${here}\n`);
  const folder = await testFolder();
  await expect(get(folder, base)).rejects.toThrow(
    `checksum mismatch, refused: ${base}/files/${here} has SHA-512 ${sha512(content)}, its release publishes ${"ab".repeat(64)}`,
  );
  expect(await readdir(folder)).toEqual([]);
});

test("a release that publishes no checksum for the archive is not downloaded", async () => {
  const base = await release(Buffer.from("x"), "nothing of use\n");
  await expect(get(await testFolder(), base)).rejects.toThrow(`has no SHA-512 for ${here}`);
});

test("a server that does not answer is given up soon", async () => {
  const base = await serve(() => undefined);
  const limits = { answer: 200, stall: 200 };
  await expect(publishedChecksum(`${base}/SHA512SUMS`, archive, limits)).rejects.toThrow(/no answer in time/);
});

test("a transfer that stalls is given up", async () => {
  const base = await serve((_request, response) => void response.writeHead(200).write("half a line"));
  const limits = { answer: 2_000, stall: 200 };
  await expect(publishedChecksum(`${base}/SHA512SUMS`, archive, limits)).rejects.toThrow(/stalled/);
});

test("archive names are the official ones", () => {
  expect(archive).toBe("pulumi-v9.9.9-linux-x64.tar.gz");
  expect(archiveName("3.250.0", "darwin", "arm64")).toBe("pulumi-v3.250.0-darwin-arm64.tar.gz");
  expect(archiveName("3.250.0", "freebsd", "x64")).toBeUndefined();
});

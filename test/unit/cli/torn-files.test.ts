import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Project } from "../../../cli/operate/project";
import { assertWhole, fixTornFiles, tornFiles } from "../../../cli/operate/torn-files";

const WHOLE = '{"user.content_type":"application/json","md5":"c2VjcmV0"}\n';
let folder: string;
let project: Project;
const stacks = () => join(folder, ".pulumi", "stacks", "secret-rotation");
const put = (file: string, text: string) => writeFile(join(stacks(), file), text);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "torn-files-"));
  const settingsFile = join(folder, "Pulumi.paper.yaml");
  project = {
    dir: folder,
    name: "secret-rotation",
    stack: "paper",
    settingsFile,
    backend: `file://${folder}`,
    env: {},
  };
  await mkdir(stacks(), { recursive: true });
  await put("paper.json", '{"checkpoint":{}}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A lock as Pulumi writes it. */
async function lockedBy(pid: number): Promise<void> {
  const locks = join(folder, ".pulumi", "locks", "organization", "secret-rotation", "paper");
  await mkdir(locks, { recursive: true });
  const holder = { pid, username: "ops", hostname: hostname(), timestamp: new Date().toISOString() };
  await writeFile(join(locks, "a.json"), JSON.stringify(holder));
}

describe("files that a killed update left half written", () => {
  it.each(["", '{"user.content_type":"appl'])("are found and removed: %j", async (text) => {
    await put("paper.json.attrs", text);
    await put("paper.json.bak.attrs", WHOLE);
    const torn = join(stacks(), "paper.json.attrs");
    expect(tornFiles(project)).toEqual([{ path: torn, copy: undefined }]);
    expect(() => assertWhole(project)).toThrow(
      /paper\.json\.attrs half written.*rotation diagnose --fix --stack paper/s,
    );
    expect(fixTornFiles(project)).toEqual([expect.stringContaining(torn)]);
    expect(existsSync(torn)).toBe(false);
    expect(await readFile(join(stacks(), "paper.json"), "utf8")).toBe('{"checkpoint":{}}');
    expect(await readFile(join(stacks(), "paper.json.bak.attrs"), "utf8")).toBe(WHOLE);
    expect(() => assertWhole(project)).not.toThrow();
  });

  it("are left alone while an update that is alive could be writing them", async () => {
    await put("paper.json.attrs", "");
    await lockedBy(process.pid);
    expect(fixTornFiles(project)).toEqual([]);
    expect(existsSync(join(stacks(), "paper.json.attrs"))).toBe(true);
  });

  it("are none of another stack, or of a backend that is no folder", async () => {
    await put("paper2.json.attrs", "");
    await put("paper2.json", "");
    await put("paper.json.bak", "");
    expect(tornFiles(project)).toEqual([]);
    await put("paper.json.attrs", "");
    expect(tornFiles({ ...project, backend: "s3://state" })).toEqual([]);
    expect(tornFiles({ ...project, backend: undefined })).toEqual([]);
  });
});

describe("a state that a full disk left half written", () => {
  const STATE = '{"version":3,"checkpoint":{"latest":{"resources":[]}}}';
  const bytesOf = (file: string, text: string) => (/\.gz(\.bak)?$/.test(file) ? gzipSync(text) : Buffer.from(text));

  it.each(["paper.json", "paper.json.gz"])("gets its copy back, and is kept: %s", async (file) => {
    await rm(join(stacks(), "paper.json"));
    const [path, half] = [join(stacks(), file), bytesOf(file, STATE).subarray(0, 30)];
    await writeFile(path, half);
    await writeFile(`${path}.bak`, bytesOf(file, STATE));
    await put(`${file}.attrs`, WHOLE);
    expect(tornFiles(project)).toEqual([{ path, copy: `${path}.bak` }]);
    expect(() => assertWhole(project)).toThrow(
      /is half written.*Free disk space, then run `rotation diagnose --fix --stack paper`/s,
    );
    expect(fixTornFiles(project)).toEqual([expect.stringContaining(`restored ${path} from its copy ${path}.bak`)]);
    expect(await readFile(path)).toEqual(bytesOf(file, STATE));
    expect(await readFile(`${path}.torn`)).toEqual(half);
    // The check sum of what was half written.
    expect(existsSync(`${path}.attrs`)).toBe(false);
    expect(tornFiles(project)).toEqual([]);
  });

  it.each([undefined, '{"version":3,"check'])("stays as it is where its copy is no better: %j", async (copy) => {
    await put("paper.json", '{"version":3,');
    if (copy !== undefined) await put("paper.json.bak", copy);
    const path = join(stacks(), "paper.json");
    expect(tornFiles(project)).toEqual([{ path, copy: null }]);
    const history = join(folder, ".pulumi", "history", "secret-rotation", "paper", "*.checkpoint.json*");
    for (const act of [assertWhole, fixTornFiles]) expect(() => act(project)).toThrow(`the newest of ${history}`);
    expect(await readFile(path, "utf8")).toBe('{"version":3,');
  });
});

import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changeFile, checkFile } from "../../../clients/host-file";
import { type RunScript, shellHere } from "../../../clients/shell";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "host file '"));
  file = join(folder, "user list.txt");
  writeFileSync(file, '"a" "b"\n');
  chmodSync(file, 0o640);
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = () => ({ file, sudo: false });
const change = (run: RunScript, to: (text: string) => string) => changeFile(run, "db-1", at(), to);

describe("a file on a host", () => {
  it("is replaced at once, with mode and owner, and nothing is left beside it", async () => {
    const before = statSync(file);
    linkSync(file, join(folder, "the file before"));
    const long = `"a" "b"\n${"é".repeat(5000)}\n'EOF'\nROTATION_FILE\n$HOME\n`;
    expect(await change(shellHere(), () => long)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe(long);
    expect(readFileSync(join(folder, "the file before"), "utf8")).toBe('"a" "b"\n');
    const after = statSync(file);
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
    expect(after.ino).not.toBe(before.ino);
    expect(readdirSync(folder).toSorted()).toEqual(["the file before", "user list.txt"]);
    expect(await change(shellHere(), (text) => text)).toBe(false);
  });

  it("stays behind a link", async () => {
    const link = join(folder, "link");
    symlinkSync(file, link);
    await changeFile(shellHere(), "db-1", { file: link, sudo: false }, () => "x\n");
    expect(readFileSync(file, "utf8")).toBe("x\n");
  });

  it("keeps what another wrote meanwhile", async () => {
    let interferes = 2;
    const change = (text: string) => {
      if (interferes-- > 0) writeFileSync(file, `${text}"other-${interferes}" "x"\n`);
      return `${text}"ours" "y"\n`;
    };
    expect(await changeFile(shellHere(), "db-1", at(), change)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe('"a" "b"\n"other-1" "x"\n"other-0" "x"\n"ours" "y"\n');
    const always = (text: string) => {
      writeFileSync(file, `${text}"more" "x"\n`);
      return `${text}"ours again" "y"\n`;
    };
    await expect(changeFile(shellHere(), "db-1", at(), always)).rejects.toThrow(
      /was not written: it was changed meanwhile/,
    );
  });

  it("that is missing, or has no place beside it, is said before anything is changed", async () => {
    expect(await checkFile(shellHere(), "db-1", at())).toBe('"a" "b"\n');
    await expect(checkFile(shellHere(), "db-1", { file: join(folder, "none"), sudo: false })).rejects.toThrow(
      /none on db-1 cannot be read: no such file/,
    );
    mkdirSync(join(folder, "folder"));
    await expect(checkFile(shellHere(), "db-1", { file: join(folder, "folder"), sudo: false })).rejects.toThrow(
      "no such file",
    );
    const full: RunScript = (script, limit) =>
      shellHere()(`mktemp() { echo "No space left" >&2; return 1; }\n${script}`, limit);
    await expect(checkFile(full, "db-1", at())).rejects.toThrow(/cannot be replaced: No space left/);
    expect(readdirSync(folder).toSorted()).toEqual(["folder", "user list.txt"]);
  });
});

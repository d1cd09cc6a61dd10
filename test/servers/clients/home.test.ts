import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { openProject } from "../../../cli/operate/project";
import { stateFolder } from "../../../cli/operate/state-file";
import { cacheRoot } from "../../../cli/toolchain/cache";
import { projectRoot } from "../../../cli/toolchain/project";
import { operator, pluginHomes, pulumiHome } from "../../../clients/home";
import { ownToken } from "../../../clients/vault";
import { homeOf } from "../../../config/home";

describe("the user's home", () => {
  it("is HOME, whatever the passwd says, and the passwd's without one", () => {
    expect(homeOf({ HOME: "/somewhere/else" })).toBe("/somewhere/else");
    for (const env of [{}, { HOME: "" }]) expect(homeOf(env)).toBe(userInfo().homedir);
  });

  it("is the passwd's for what Pulumi keeps, as Pulumi has it, and HOME for the cache", () => {
    const env = { HOME: "/somewhere/else", PULUMI_BACKEND_URL: "file://~/state" };
    const { homedir } = userInfo();
    expect(stateFolder(openProject(projectRoot(), "paper", env))).toBe(path.join(homedir, "state"));
    expect(pulumiHome(env)).toBe(path.join(homedir, ".pulumi"));
    expect(pulumiHome({ ...env, PULUMI_HOME: "/own" })).toBe("/own");
    expect(pluginHomes(env)).toEqual([path.join(homedir, ".pulumi"), "/somewhere/else/.pulumi"]);
    expect(pluginHomes({ ...env, PULUMI_HOME: "/own" })).toEqual(["/own"]);
    expect(cacheRoot(env)).toBe(
      process.platform === "darwin"
        ? "/somewhere/else/Library/Caches/secret-rotation"
        : "/somewhere/else/.cache/secret-rotation",
    );
  });

  it.skipIf(process.platform === "darwin")("gives way to XDG_CACHE_HOME, and to a cache of one's own", () => {
    expect(cacheRoot({ HOME: "/h", XDG_CACHE_HOME: "/x" })).toBe("/x/secret-rotation");
    expect(cacheRoot({ HOME: "/h", XDG_CACHE_HOME: "not/absolute" })).toBe("/h/.cache/secret-rotation");
    expect(cacheRoot({ HOME: "/h", XDG_CACHE_HOME: "/x", SECRET_ROTATION_CACHE: "/own" })).toBe("/own");
  });
});

describe("Vault's token", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("is read below HOME, other than the passwd's too; an empty file is none", () => {
    const home = mkdtempSync(path.join(tmpdir(), "vault-home-"));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    vi.stubEnv("HOME", home);
    vi.stubEnv("VAULT_TOKEN", "");
    expect(ownToken()).toBeUndefined();
    writeFileSync(path.join(home, ".vault-token"), "\n");
    expect(ownToken()).toBeUndefined();
    writeFileSync(path.join(home, ".vault-token"), "hvs.of-this-home\n");
    expect(ownToken()).toBe("hvs.of-this-home");
  });
});

describe("who is at work", () => {
  it("is ROTATED_BY, the pipeline's actor, else the account; an empty variable is none", () => {
    expect(operator({ ROTATED_BY: "ops", GITHUB_ACTOR: "octocat" })).toBe("ops");
    expect(operator({ ROTATED_BY: "", GITHUB_ACTOR: "octocat" })).toBe("octocat");
    expect(operator({})).toBe(userInfo().username);
  });
});

/** Another user's process needs root. */
describe.runIf(process.getuid?.() === 0)("an account that no passwd knows, as in a container", () => {
  /** What a bundled program answers to that account; it must be readable for it. */
  function run(program: string, args: readonly string[], env: Record<string, string>) {
    const folder = mkdtempSync(path.join(tmpdir(), "no-passwd-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const part of ["dist", "package.json"])
      cpSync(path.join(projectRoot(), part), path.join(folder, part), { recursive: true });
    spawnSync("chmod", ["-R", "a+rX", folder]);
    return spawnSync(process.execPath, [path.join(folder, "dist", program), ...args], {
      cwd: folder,
      uid: 54_321,
      gid: 54_321,
      encoding: "utf8" as const,
      env: { PATH: "/usr/bin:/bin", ...env },
    });
  }

  it("without HOME runs the command line, and says what the toolchain's cache needs", () => {
    const help = run("cli/rotation.mjs", ["--help"], {});
    expect(help.stderr).toBe("");
    expect(help.status).toBe(0);
    const toolchain = run("dev/toolchain/main.mjs", ["--offline"], {});
    expect(toolchain.stderr).toContain("there is no home folder for the cache: set HOME, or SECRET_ROTATION_CACHE");
    expect(toolchain.status).toBe(1);
  });
});

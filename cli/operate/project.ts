import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { pulumiHome } from "../../clients/home";
import { UsageError } from "./errors";

/** A stack's place and backend: what is known without starting Pulumi. */
export interface Project {
  /** The folder with `Pulumi.yaml`. */
  readonly dir: string;
  readonly name: string;
  readonly stack: string;
  /** The stack's settings file, `Pulumi.<stack>.yaml`. It may not exist. */
  readonly settingsFile: string;
  /** Such as `file:///var/lib/pulumi` or `s3://bucket`; undefined if only Pulumi knows (Pulumi Cloud's default). */
  readonly backend: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

interface ProjectFile {
  readonly name?: string;
  readonly stackConfigDir?: string;
  readonly backend?: { readonly url?: string };
}

/**
 * Finds the project in `cwd` or above it, and the stack: the given one, else the one that `pulumi stack select` chose.
 * @throws UsageError if there is no project or no stack is selected
 */
export function openProject(cwd: string, stack: string | undefined, env: NodeJS.ProcessEnv): Project {
  const { dir, file, project, settings } = readProject(cwd);
  const name = project.name ?? "";
  const chosen = (stack ?? env.PULUMI_STACK ?? selectedStack(file, name, env))?.split("/").at(-1);
  if (chosen === undefined || chosen === "") {
    throw new UsageError("no stack is selected: name one with --stack, or choose one with `pulumi stack select`");
  }
  return {
    dir,
    name,
    stack: chosen,
    settingsFile: join(settings, `Pulumi.${chosen}.yaml`),
    backend: env.PULUMI_BACKEND_URL ?? project.backend?.url ?? loggedInto(env),
    env,
  };
}

/** The project's folder and file, and where its stacks' settings are. @throws UsageError if there is none */
export function readProject(cwd: string) {
  const dir = projectFolder(resolve(cwd));
  const file = join(dir, "Pulumi.yaml");
  const project = (parse(readFileSync(file, "utf8")) ?? {}) as ProjectFile;
  return { dir, file, project, settings: join(dir, project.stackConfigDir ?? "") };
}

function projectFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
    if (folder === dirname(folder)) {
      throw new UsageError(`no Pulumi.yaml in ${start} or above it: go to the project's folder, or name it with --cwd`);
    }
  }
}

function selectedStack(projectFile: string, name: string, env: NodeJS.ProcessEnv): string | undefined {
  const hash = createHash("sha1").update(projectFile).digest("hex");
  return readJson<{ stack?: string }>(join(pulumiHome(env), "workspaces", `${name}-${hash}-workspace.json`))?.stack;
}

const loggedInto = (env: NodeJS.ProcessEnv) =>
  readJson<{ current?: string }>(join(env.PULUMI_CREDENTIALS_PATH || pulumiHome(env), "credentials.json"))?.current;

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

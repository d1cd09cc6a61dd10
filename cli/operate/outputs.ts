import * as z from "zod";
import type { SecretState } from "../../core/state";
import { UsageError } from "./errors";
import type { Project } from "./project";
import { runPulumi } from "./pulumi";
import { readCheckpoint } from "./state-file";

const secretOutput = z.looseObject({
  kind: z.string().optional(),
  strategy: z.string().optional(),
  store: z.string().optional(),
  state: z.custom<SecretState>((value) => typeof value === "object" && value !== null).optional(),
  versions: z.array(z.looseObject({ path: z.string(), version: z.string().optional() })).optional(),
});

/** What the stack's outputs say of one secret. */
export type SecretOutput = z.output<typeof secretOutput>;

const outputs = z.looseObject({ secrets: z.record(z.string(), secretOutput).default({}) });

/**
 * What the last finished update left in the stack's outputs, by the secret's name; empty before the first one. Read
 * from the state file if the backend is a folder, else through `pulumi stack output`.
 * @throws UsageError if there is no such stack
 */
export async function readOutputs(project: Project): Promise<Readonly<Record<string, SecretOutput>>> {
  const checkpoint = readCheckpoint(project);
  const raw =
    checkpoint === undefined
      ? await askPulumi(project)
      : checkpoint.resources?.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
  return outputs.parse(raw ?? {}).secrets;
}

async function askPulumi(project: Project): Promise<unknown> {
  const { exitCode, stdout, stderr } = await runPulumi(project, ["stack", "output", "--json"]);
  if (exitCode === 0) return JSON.parse(stdout);
  throw new UsageError(
    `the outputs of stack ${project.stack} cannot be read: ${stderr.trim().split("\n")[0]}. List the stacks with \`pulumi stack ls\`; ` +
      `create it with \`pulumi stack init ${project.stack}\``,
  );
}

import type { Project } from "./project";
import { runPulumi } from "./pulumi";
import { readCheckpoint, type StoredResource } from "./state-file";

/**
 * The resources of the stack's state, their secrets encrypted: read from the state file if the backend is a folder, else
 * through `pulumi stack export`. Empty if it cannot be read; a caller that needs more than a hint reads the outputs too.
 */
export async function readResources(project: Project): Promise<readonly StoredResource[]> {
  const checkpoint = readCheckpoint(project);
  if (checkpoint !== undefined) return checkpoint.resources ?? [];
  const { exitCode, stdout } = await runPulumi(project, ["stack", "export"]);
  if (exitCode !== 0) return [];
  const { deployment } = JSON.parse(stdout) as { deployment?: { resources?: readonly StoredResource[] } };
  return deployment?.resources ?? [];
}

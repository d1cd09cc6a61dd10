import { storeClient } from "../steps/store";
import { UsageError } from "./errors";
import { readOutputs } from "./outputs";
import { secretsNamed } from "./preflight";
import { storeOf } from "./preflight-input";
import type { Project } from "./project";
import { runPulumi } from "./pulumi";
import { readConfig } from "./settings";

/** What became of one secret. */
export interface Adopted {
  readonly secret: string;
  readonly outcome: "adopted" | "was there already" | "too late" | "not needed";
  /** The version that the store has; null where it was not asked. */
  readonly version: string | null;
  readonly detail: string;
}

/**
 * Copies the value in use from the store into the secret config key `adopted`, before a stack's first update: so that
 * the very first rotation can be rolled back too. The value travels by stdin and is never printed.
 *
 * @throws UsageError where the store has none
 */
export async function adopt(project: Project, names: readonly string[]): Promise<Adopted[]> {
  const config = await readConfig(project);
  const outputs = await readOutputs(project);
  const results: Adopted[] = [];
  for (const secret of secretsNamed(config, names)) {
    if (secret.kind !== "postgres-password") {
      results.push({
        secret: secret.name,
        outcome: "not needed",
        version: null,
        detail: "its value stands in the config already",
      });
      continue;
    }
    if (outputs[secret.name]?.state !== undefined) {
      results.push({
        secret: secret.name,
        outcome: "too late",
        version: null,
        detail: "this stack manages it already",
      });
      continue;
    }
    const stored = await storeClient(storeOf(config)).read(secret.name);
    if (stored === undefined) {
      throw new UsageError(
        `${secret.name} is not in the store: write the value in use there first, or set the config key \`adopted\` by hand`,
      );
    }
    if (config.adopted[secret.name] === stored.value) {
      results.push({
        secret: secret.name,
        outcome: "was there already",
        version: stored.version,
        detail: "the same value",
      });
      continue;
    }
    await setAdopted(project, secret.name, stored.value);
    results.push({
      secret: secret.name,
      outcome: "adopted",
      version: stored.version,
      detail: "the first rotation can be rolled back to it",
    });
  }
  return results;
}

async function setAdopted(project: Project, name: string, value: string): Promise<void> {
  const args = ["config", "set", "--secret", "--path", `adopted["${name}"]`];
  const { exitCode, stderr } = await runPulumi(project, args, value);
  if (exitCode !== 0) {
    throw new UsageError(
      `pulumi config set --secret --path 'adopted["${name}"]' failed: ${stderr.trim().replaceAll(value, "[secret]")}`,
    );
  }
}

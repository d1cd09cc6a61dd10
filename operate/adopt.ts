import { type Config, isMadeByVault, type PostgresPasswordConfig } from "../config";
import type { SecretState } from "../rotation/state";
import { storeClient } from "../steps/store";
import { loginsOf } from "./credentials";
import { Engine } from "./engine";
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
  readonly outcome: "adopted" | "was there already" | "not needed";
  /** The version that the store has; null where it was not asked. */
  readonly version: string | null;
  readonly detail: string;
}

/**
 * Copies the value in use from the store into the secret config key `adopted`: before a stack's first update, so that
 * the very first rotation can be rolled back too; later where somebody else wrote a value that is to be kept, together
 * with the request that takes it over. The value travels by stdin and is never printed.
 *
 * @throws UsageError where the store has none
 */
export async function adopt(project: Project, names: readonly string[]): Promise<Adopted[]> {
  const config = await readConfig(project);
  const outputs = await readOutputs(project);
  const results: Adopted[] = [];
  for (const secret of secretsNamed(config, names)) {
    results.push({ secret: secret.name, ...(await adoptOne(project, config, secret, outputs[secret.name]?.state)) });
  }
  return results;
}

async function adoptOne(
  project: Project,
  config: Config,
  secret: Config["secrets"][number],
  state: SecretState | undefined,
): Promise<Omit<Adopted, "secret">> {
  if (secret.kind !== "postgres-password")
    return { outcome: "not needed", version: null, detail: "its value stands in the config already" };
  if (isMadeByVault(secret))
    return { outcome: "not needed", version: null, detail: "Vault makes it, and keeps no value to go back to" };
  const store = storeClient(storeOf(config));
  const stored = await store.read(secret.name);
  if (stored === undefined) {
    throw new UsageError(
      `${secret.name} is not in the store: write the value in use there first, or set the config key \`adopted\` by hand`,
    );
  }
  const { version, value, content } = stored;
  if (value === undefined) {
    const why = content.kind === "value" ? "" : content.why;
    throw new UsageError(`${secret.name} cannot be adopted: version ${version}: ${why}: ${store.advice(secret.name)}`);
  }
  if (state !== undefined) return takeOver(project, config, secret, state, { version, value });
  if (config.adopted[secret.name] === value) return { outcome: "was there already", version, detail: "the same value" };
  await setAdopted(project, secret.name, value);
  return { outcome: "adopted", version, detail: "the first rotation can be rolled back to it" };
}

/** What somebody else wrote while this stack manages the secret. */
async function takeOver(
  project: Project,
  config: Config,
  secret: PostgresPasswordConfig,
  state: SecretState,
  { version, value }: { readonly version: string; readonly value: string },
): Promise<Omit<Adopted, "secret">> {
  const engine = await Engine.open(project);
  const { active } = loginsOf(await engine.exportState(), config, secret, state);
  if (active?.entries.some((entry) => entry.path === secret.name && entry.value === value))
    return { outcome: "not needed", version, detail: "this stack manages it and wrote that value itself" };
  await setAdopted(project, secret.name, value);
  await engine.configure("request", {
    id: `adopt-${new Date().toISOString()}`,
    secret: secret.name,
    adopt: true,
    reason: `version ${version} of the store, written by somebody else, is kept`,
  });
  return {
    outcome: "adopted",
    version,
    detail: `somebody else wrote it; \`rotation run --stack ${project.stack}\` takes it over as the one in use`,
  };
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

import * as pulumi from "@pulumi/pulumi";
import { recordedOf, type StateResource } from "../core/begun";
import type { SecretState } from "../core/state";

/** A secret as the last finished update of a stack left it: its output. */
export interface PreviousSecret {
  readonly state: SecretState;
  /** What restarted the services (`RESTARTED_BY`); undefined for an update by an earlier version of this program. */
  readonly restartedBy?: string;
  /** Its kind's own outputs. */
  readonly [about: string]: unknown;
}

/** The secrets as the last finished update of a stack left them, by name. */
export type PreviousSecrets = Readonly<Record<string, PreviousSecret | undefined>>;

/** What the stack knows of its secrets before this update. */
export interface Known {
  /** As the last finished update left them: the stack's own outputs. */
  readonly previous: PreviousSecrets;
  /** The target of a secret's last activation, whether it finished or not, by the secret's name. */
  readonly recorded: Readonly<Record<string, SecretState | undefined>>;
}

/** The engine's own function that reads a stack's resources with their outputs. */
const READ_RESOURCES = "pulumi:pulumi:readStackResourceOutputs";

/** @param secrets the names of the config's secrets */
export async function readKnown(stack: string, secrets: readonly string[]): Promise<Known> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const { value } = await new pulumi.StackReference("previous", { name }).getOutputDetails("secrets");
  // The engine has no answer for a stack that was never deployed. What a first update began is computed again, the same.
  if (value === undefined) return { previous: {}, recorded: {} };
  const { outputs } = (await pulumi.runtime.invoke(READ_RESOURCES, { stackName: name })) as {
    readonly outputs: Readonly<Record<string, StateResource>>;
  };
  const resources = Object.values(outputs);
  return {
    previous: value as PreviousSecrets,
    recorded: Object.fromEntries(secrets.map((secret) => [secret, recordedOf(resources, secret)])),
  };
}

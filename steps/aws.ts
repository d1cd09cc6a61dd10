import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { awsError, deletedMessage } from "./aws-errors";
import { StepError } from "./run-step";
import type { AwsReference, PairMark, StoreClient, StoredValue, StoreEntry } from "./store";

type Sdk = typeof import("@aws-sdk/client-secrets-manager");

/** How often a call is tried until a throttled one counts as failed. */
const ATTEMPTS = 5;

/** AWS Secrets Manager, with the credentials of the environment, as the `aws` command takes them. */
export class AwsClient implements StoreClient {
  private connected: Promise<{ sdk: Sdk; client: SecretsManagerClient }> | undefined;

  constructor(private readonly store: AwsReference) {}

  /** The version with the label AWSCURRENT; undefined where there is none. */
  async read(path: string): Promise<StoredValue | undefined> {
    const secret = this.nameOf(path);
    const answer = await this.ask("GetSecretValue", secret, ({ sdk, client }) =>
      client.send(new sdk.GetSecretValueCommand({ SecretId: secret })),
    );
    if (answer === undefined) return undefined;
    if (answer.SecretString === undefined)
      throw new StepError(`${secret} holds binary data; expected a text, which services can read as it is`);
    return {
      value: answer.SecretString,
      version: answer.VersionId ?? "",
      writtenAt: (answer.CreatedDate ?? new Date(0)).toISOString(),
    };
  }

  /** Fails where AWS does not answer, denies reading, or a secret is on its way out. Writing is tried by writing only. */
  async check(paths: readonly string[]): Promise<string> {
    const found = await Promise.all(paths.map((path) => this.checkOne(this.nameOf(path))));
    return `${this.store.region}, ${found.join(", ")}`;
  }

  /** A new version with this value, and with the label of its slot where it is part of a pair. */
  async write({ path, value }: StoreEntry, pair?: PairMark): Promise<void> {
    const SecretId = this.nameOf(path);
    const VersionStages = ["AWSCURRENT", ...(pair === undefined ? [] : [pair.slot === 0 ? "slot-a" : "slot-b"])];
    const put = await this.ask("PutSecretValue", SecretId, ({ sdk, client }) =>
      client.send(new sdk.PutSecretValueCommand({ SecretId, SecretString: value, VersionStages })),
    );
    if (put === undefined)
      throw new StepError(`expected ${this.placeOf(SecretId)} to exist, found nothing to write to`);
  }

  /** Sets the tags and takes off those that `gone` names; tags of others stay. */
  async tag(path: string, tags: Readonly<Record<string, string>>, gone: readonly string[]): Promise<void> {
    const secret = this.nameOf(path);
    const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const done = await this.ask("TagResource", secret, ({ sdk, client }) =>
      client.send(new sdk.TagResourceCommand({ SecretId: secret, Tags: list })),
    );
    if (done === undefined) throw new StepError(`expected ${this.placeOf(secret)} to exist, found nothing to tag`);
    if (gone.length === 0) return;
    await this.ask("UntagResource", secret, ({ sdk, client }) =>
      client.send(new sdk.UntagResourceCommand({ SecretId: secret, TagKeys: [...gone] })),
    );
  }

  private async checkOne(secret: string): Promise<string> {
    const about = await this.ask("DescribeSecret", secret, ({ sdk, client }) =>
      client.send(new sdk.DescribeSecretCommand({ SecretId: secret })),
    );
    if (about?.DeletedDate !== undefined) throw new StepError(deletedMessage(secret, this.placeOf(secret)));
    if (about?.OwningService !== undefined)
      throw new StepError(`${secret} belongs to the AWS service ${about.OwningService}; name another secret`);
    if (about?.RotationEnabled)
      throw new StepError(
        `${secret} is rotated by AWS itself (Lambda): two rotations would undo each other's work. Stop that one with ` +
          `\`aws secretsmanager cancel-rotate-secret --secret-id ${secret}\``,
      );
    return about === undefined ? `${secret} (will be created)` : secret;
  }

  private nameOf(path: string): string {
    return `${this.store.environment}/${path}`;
  }

  private placeOf(secret: string): string {
    return `${secret} in ${this.store.region}`;
  }

  /** @returns undefined where the secret, or a version of it, does not exist. @throws StepError */
  private async ask<T>(
    operation: string,
    secret: string,
    call: (connection: { sdk: Sdk; client: SecretsManagerClient }) => Promise<T>,
  ): Promise<T | undefined> {
    this.connected ??= this.connect();
    try {
      return await call(await this.connected);
    } catch (error) {
      if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
      throw awsError(error, { action: `secretsmanager:${operation}`, secret, where: this.placeOf(secret) });
    }
  }

  // Loaded at first use: a Vault stack's steps start faster without it.
  private async connect() {
    // What the SDK says about Node.js would stand among the step's errors.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const { default: sdk } = await import("@aws-sdk/client-secrets-manager");
    const { region, endpoint } = this.store;
    const settings = { region, maxAttempts: ATTEMPTS, ...(endpoint === undefined ? {} : { endpoint }) };
    return { sdk, client: new sdk.SecretsManagerClient(settings) };
  }
}

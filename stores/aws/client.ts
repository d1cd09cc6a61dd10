import { randomUUID } from "node:crypto";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { agentWith, awsTrust } from "../../clients/trust";
import { StepError } from "../../core/errors";
import { awsContent, changedMarks } from "../../core/store-content";
import type { AwsReference, NewVersion, PairMark, StoreClient, StoredValue, StoreEntry } from "../client";
import { awsError, deletedMessage } from "./errors";

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
    const content = awsContent(answer.SecretString);
    return {
      value: content.kind === "value" ? content.value : undefined,
      content,
      version: answer.VersionId ?? "",
      writtenAt: (answer.CreatedDate ?? new Date(0)).toISOString(),
      labels: answer.VersionStages ?? [],
    };
  }

  holds(found: StoredValue | undefined, { value }: StoreEntry, pair: PairMark | undefined): boolean {
    return found?.value === value && (pair === undefined || found.labels?.includes(labelOf(pair)) === true);
  }

  /** AWS has no check-and-set: the version that became AWSPREVIOUS says whether somebody wrote in between. */
  async writeAt(
    found: StoredValue | undefined,
    { path, value }: StoreEntry,
    pair: PairMark | undefined,
  ): Promise<NewVersion | undefined> {
    const secret = this.nameOf(path);
    const version = randomUUID();
    const VersionStages = ["AWSCURRENT", ...(pair === undefined ? [] : [labelOf(pair)])];
    const command = { SecretId: secret, SecretString: value, ClientRequestToken: version, VersionStages };
    const put = await this.ask("PutSecretValue", secret, ({ sdk, client }) =>
      client.send(new sdk.PutSecretValueCommand(command)),
    );
    if (put === undefined) throw new StepError(`expected ${this.placeOf(secret)} to exist, found nothing to write to`);
    const before = (await this.describe(secret))?.VersionIdsToStages ?? {};
    const [previous] = Object.entries(before).find(([, stages]) => stages.includes("AWSPREVIOUS")) ?? [];
    if (previous === undefined || previous === found?.version) return { version };
    const warning = `${path}: somebody else wrote version ${previous} while this update wrote ${version}; theirs is kept as AWSPREVIOUS`;
    return { version, warning };
  }

  isBefore(read: StoredValue | undefined, version: string, found: StoredValue | undefined): boolean {
    if (read === undefined || read.version === found?.version) return read?.version !== version;
    return read.version !== version && found !== undefined && read.writtenAt < found.writtenAt;
  }

  async mark(path: string, says: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const secret = this.nameOf(path);
    const about = await this.describe(secret);
    if (about === undefined) throw new StepError(`expected ${this.placeOf(secret)} to exist, found nothing to tag`);
    const found = Object.fromEntries((about.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
    const changed = Object.entries(changedMarks(found, says));
    const Tags = changed.flatMap(([Key, Value]) => (Value === null ? [] : [{ Key, Value }]));
    const TagKeys = changed.flatMap(([key, text]) => (text === null ? [key] : []));
    if (Tags.length > 0)
      await this.ask("TagResource", secret, ({ sdk, client }) =>
        client.send(new sdk.TagResourceCommand({ SecretId: secret, Tags })),
      );
    if (TagKeys.length > 0)
      await this.ask("UntagResource", secret, ({ sdk, client }) =>
        client.send(new sdk.UntagResourceCommand({ SecretId: secret, TagKeys })),
      );
    return changed.map(([name]) => name);
  }

  advice(path: string): string {
    return (
      "this program writes the bare text, which a reader of anything else could not read: put the value in use there as bare " +
      `text (\`aws secretsmanager put-secret-value --secret-id ${this.nameOf(path)} --secret-string file:///dev/stdin\`), ` +
      "or name another secret"
    );
  }

  /**
   * Fails where AWS does not answer, denies reading, or a secret is on its way out. Whether the role may write and tag,
   * AWS says only when it is tried.
   */
  async check(paths: readonly string[]): Promise<string> {
    const found = await Promise.all(paths.map((path) => this.checkOne(this.nameOf(path))));
    return `${this.store.region}, ${found.join(", ")}; PutSecretValue and TagResource cannot be asked for beforehand`;
  }

  private async checkOne(secret: string): Promise<string> {
    const about = await this.describe(secret);
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

  private describe(secret: string) {
    return this.ask("DescribeSecret", secret, ({ sdk, client }) =>
      client.send(new sdk.DescribeSecretCommand({ SecretId: secret })),
    );
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
    const httpsAgent = agentWith(awsTrust());
    const client = new sdk.SecretsManagerClient({
      region,
      maxAttempts: ATTEMPTS,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(httpsAgent === undefined ? {} : { requestHandler: { httpsAgent } }),
    });
    return { sdk, client };
  }
}

/** The label that both values of a pair carry. */
const labelOf = ({ slot }: PairMark) => (slot === 0 ? "slot-a" : "slot-b");

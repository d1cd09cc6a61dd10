import { randomUUID } from "node:crypto";
import { deletedMessage, SecretsManager } from "../../clients/aws";
import { StepError } from "../../core/errors";
import { changedMarks } from "../../core/store-content";
import { holdsEntry, isDocument, written } from "../entries";
import type { NewVersion, PairMark, StoreClient, StoredValue, StoreEntry } from "../store";
import { awsContent, awsDocument } from "./content";
import { loginOf } from "./login/schema";
import type { AwsReference } from "./schema";

/** AWS Secrets Manager as a store: the secret `<environment>/<path>`, whose whole text is the value or a JSON document. */
export class AwsSecrets implements StoreClient {
  private readonly aws: SecretsManager;

  constructor(private readonly store: AwsReference) {
    this.aws = new SecretsManager(store.region, store.endpoint, loginOf(store));
  }

  /** The version with the label AWSCURRENT; undefined if there is none. */
  async read(path: string): Promise<StoredValue | undefined> {
    const secret = this.nameOf(path);
    const answer = await this.aws.ask("GetSecretValue", secret, ({ sdk, client }) =>
      client.send(new sdk.GetSecretValueCommand({ SecretId: secret })),
    );
    if (answer === undefined) return undefined;
    const content = awsContent(answer.SecretString);
    const document = awsDocument(answer.SecretString);
    return {
      ...(document === undefined ? {} : { document }),
      value: content.kind === "value" ? content.value : undefined,
      content,
      version: answer.VersionId ?? "",
      writtenAt: (answer.CreatedDate ?? new Date(0)).toISOString(),
      labels: answer.VersionStages ?? [],
    };
  }

  holds(found: StoredValue | undefined, entry: StoreEntry, pair: PairMark | undefined): boolean {
    return holdsEntry(found, entry) && (pair === undefined || found?.labels?.includes(labelOf(pair)) === true);
  }

  /** AWS has no check-and-set: the version that became AWSPREVIOUS shows whether there was an external write meanwhile. */
  async writeAt(
    found: StoredValue | undefined,
    entry: StoreEntry,
    pair: PairMark | undefined,
  ): Promise<NewVersion | undefined> {
    const { path } = entry;
    const value = isDocument(entry) ? written(found, entry) : entry.value;
    const secret = this.nameOf(path);
    const version = randomUUID();
    const VersionStages = ["AWSCURRENT", ...(pair === undefined ? [] : [labelOf(pair)])];
    const command = { SecretId: secret, SecretString: value, ClientRequestToken: version, VersionStages };
    const put = await this.aws.ask("PutSecretValue", secret, ({ sdk, client }) =>
      client.send(new sdk.PutSecretValueCommand(command)),
    );
    if (put === undefined)
      throw new StepError(`expected ${this.aws.whereIs(secret)} to exist, found nothing to write to`);
    const before = (await this.describe(secret))?.VersionIdsToStages ?? {};
    const [previous] = Object.entries(before).find(([, stages]) => stages.includes("AWSPREVIOUS")) ?? [];
    if (previous === undefined || previous === found?.version) return { version };
    const warning = `${path}: external write of version ${previous} while this update wrote ${version}; it is kept as AWSPREVIOUS`;
    return { version, warning };
  }

  isBefore(read: StoredValue | undefined, version: string, found: StoredValue | undefined): boolean {
    if (read === undefined || read.version === found?.version) return read?.version !== version;
    return read.version !== version && found !== undefined && read.writtenAt < found.writtenAt;
  }

  async mark(path: string, says: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const secret = this.nameOf(path);
    const about = await this.describe(secret);
    if (about === undefined) throw new StepError(`expected ${this.aws.whereIs(secret)} to exist, found nothing to tag`);
    const found = Object.fromEntries((about.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
    const changed = Object.entries(changedMarks(found, says));
    const Tags = changed.flatMap(([Key, Value]) => (Value === null ? [] : [{ Key, Value }]));
    const TagKeys = changed.flatMap(([key, text]) => (text === null ? [key] : []));
    if (Tags.length > 0)
      await this.aws.ask("TagResource", secret, ({ sdk, client }) =>
        client.send(new sdk.TagResourceCommand({ SecretId: secret, Tags })),
      );
    if (TagKeys.length > 0)
      await this.aws.ask("UntagResource", secret, ({ sdk, client }) =>
        client.send(new sdk.UntagResourceCommand({ SecretId: secret, TagKeys })),
      );
    return changed.map(([name]) => name);
  }

  advice(path: string, keys?: readonly string[]): string {
    if (keys !== undefined)
      return (
        "a JSON document would replace it, and its readers could not read that: name another secret for the document " +
        "(`path`), or, if it is a document, name the keys that are there (`keys`; `rotation adopt` does)"
      );
    return (
      "this program writes the bare text, which a reader of anything else could not read: keep the document " +
      "(`format: json`, which `rotation adopt` writes into the config), put the value in use there as bare " +
      `text (\`aws secretsmanager put-secret-value ${this.aws.argsOf(this.nameOf(path))} --secret-string file:///dev/stdin\`), ` +
      "or name another secret"
    );
  }

  /**
   * Fails if AWS does not answer, denies reading, or a secret is scheduled for deletion. Whether the role may write and
   * tag, AWS says only when it is tried.
   */
  async check(paths: readonly string[]): Promise<string> {
    const found = await Promise.all(paths.map((path) => this.checkOne(this.nameOf(path))));
    return `${this.store.region}, ${found.join(", ")}; PutSecretValue and TagResource cannot be checked beforehand`;
  }

  private async checkOne(secret: string): Promise<string> {
    const about = await this.describe(secret);
    if (about?.DeletedDate !== undefined)
      throw new StepError(deletedMessage(this.aws.whereIs(secret), this.aws.argsOf(secret)));
    if (about?.OwningService !== undefined)
      throw new StepError(`${secret} belongs to the AWS service ${about.OwningService}; name another secret`);
    if (about?.RotationEnabled)
      throw new StepError(
        `${secret} is rotated by AWS itself (Lambda): two rotations would undo each other's work. Stop that one with ` +
          `\`aws secretsmanager cancel-rotate-secret ${this.aws.argsOf(secret)}\``,
      );
    return about === undefined ? `${secret} (will be created)` : secret;
  }

  private describe(secret: string) {
    return this.aws.ask("DescribeSecret", secret, ({ sdk, client }) =>
      client.send(new sdk.DescribeSecretCommand({ SecretId: secret })),
    );
  }

  private nameOf(path: string): string {
    return `${this.store.environment}/${path}`;
  }
}

/** The label on both values of a pair. */
const labelOf = ({ slot }: PairMark) => (slot === 0 ? "slot-a" : "slot-b");

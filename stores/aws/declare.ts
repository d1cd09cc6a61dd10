import { Provider } from "@pulumi/aws/provider.js";
import { getSecrets, Secret } from "@pulumi/aws/secretsmanager/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { StoreConfig } from "../../config";
import { messageOf } from "../../core/errors";
import { annotate, pathName, writeEntries } from "../commands";
import type { AnnotateArgs, SecretStore, StoreReference, WriteArgs, WriteOptions } from "../store";
import { explainAwsText } from "./errors";

type AwsConfig = Extract<StoreConfig, { kind: "aws" }>;

/** What an existing secret has and keeps: description, policy, replicas and tags are their owners'. */
const OTHERS = ["description", "forceOverwriteReplicaSecret", "policy", "replicas", "tags", "tagsAll", "type"];

/** Connects to AWS Secrets Manager and looks up the environment's secrets, which are adopted as they are. */
export async function createAwsStore(config: AwsConfig, environment: string): Promise<SecretStore> {
  const provider = createProvider(config);
  const arns = await existingSecrets(config, environment, provider);
  return new AwsStore(config, environment, provider, new Map(arns.map((arn) => [secretName(arn), arn])));
}

/** The first call to AWS in an update: where AWS refuses it, nothing was changed. @throws RunError that says what to do */
async function existingSecrets({ region }: AwsConfig, environment: string, provider: Provider): Promise<string[]> {
  const filters = [{ name: "name", values: [`${environment}/`] }];
  try {
    return (await getSecrets({ filters }, { provider })).arns;
  } catch (error) {
    const secret = `${environment}/*`;
    const call = { action: "secretsmanager:ListSecrets", secret, where: `${secret} in ${region}` };
    const explained = explainAwsText(messageOf(error), call);
    if (explained === undefined) throw error;
    throw new pulumi.RunError(`${explained}. Nothing was changed.`);
  }
}

/** AWS Secrets Manager: the secret `<environment>/<secret>`, whose whole text is the value. */
class AwsStore implements SecretStore {
  readonly kind = "aws" as const;
  readonly reference: StoreReference;

  constructor(
    private readonly config: AwsConfig,
    private readonly environment: string,
    private readonly provider: Provider,
    /** The secrets that exist already: name to ARN. */
    private readonly existing: ReadonlyMap<string, string>,
  ) {
    const { region, endpoint } = config;
    this.reference = { kind: "aws", region, environment, ...(endpoint === undefined ? {} : { endpoint }) };
  }

  pathOf(secret: string): string {
    return `${this.environment}/${secret}`;
  }

  write(name: string, args: WriteArgs, opts: WriteOptions) {
    return writeEntries(name, this.reference, args, opts, (path, dependsOn) =>
      this.createSecret(`${pathName(name, path)}-secret`, path, { parent: opts.parent, dependsOn }),
    );
  }

  /** Tags, set by a step: a tag of the `Secret` would be set before the value is written, and its owner's tags lost. */
  annotate(name: string, args: AnnotateArgs, opts: WriteOptions): pulumi.Resource {
    return annotate(name, "tags", this.reference, args, opts);
  }

  /** The secret without its value, adopted where it exists. */
  private createSecret(resource: string, path: string, opts: WriteOptions): Secret {
    const { kmsKeyId, recoveryWindowDays } = this.config;
    const arn = this.existing.get(this.pathOf(path));
    return new Secret(
      resource,
      {
        name: this.pathOf(path),
        recoveryWindowInDays: recoveryWindowDays,
        tags: { environment: this.environment, managed_by: "secret-rotation" },
        ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
      },
      {
        ...opts,
        provider: this.provider,
        retainOnDelete: true,
        ...(arn === undefined ? {} : { import: arn }),
        ignoreChanges: kmsKeyId === undefined ? [...OTHERS, "kmsKeyId"] : OTHERS,
      },
    );
  }
}

/** Credentials stay in the environment of the run: in the arguments they would be in the state. */
function createProvider({ region, endpoint }: AwsConfig): Provider {
  const emulator = {
    endpoints: [{ secretsmanager: endpoint ?? "" }],
    skipCredentialsValidation: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
    skipRequestingAccountId: true,
  };
  return new Provider("aws", { region, ...(endpoint === undefined ? {} : emulator) });
}

/** `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>` */
const secretName = (arn: string) => arn.split(":").slice(6).join(":").slice(0, -7);

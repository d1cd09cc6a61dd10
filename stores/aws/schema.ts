import * as z from "zod";
import { httpUrl, settings, text } from "../../core/schema-parts";
import { loginOf, loginReference, loginSettings } from "./login/schema";

const config = settings({
  /** Which store: AWS Secrets Manager. */
  kind: z.literal("aws"),
  /** The region of the secrets, such as `us-east-1`. */
  region: text(/^[a-z]{2,}(-[a-z]+)+-\d+$/, "expected a region, such as us-east-1"),
  /**
   * The KMS key that encrypts the secrets: id, ARN or alias. Default: a new secret gets the account's
   * `aws/secretsmanager`, and one that exists keeps its own. A change re-encrypts every secret.
   */
  kmsKeyId: z.string().min(1).optional(),
  /** Days in which a deleted secret can be restored: 7 to 30; 0 (deleted at once) only in a lab. Default 30. */
  recoveryWindowDays: z
    .number()
    .int()
    .refine((days) => days === 0 || (days >= 7 && days <= 30), {
      error: ({ input }) => `expected 7 to 30 days, or 0 in a lab, found ${input}`,
    })
    .default(30),
  /** Another endpoint for Secrets Manager, such as a VPC endpoint. In a lab: an emulator on a loopback address. */
  endpoint: httpUrl.optional(),
  ...loginSettings,
}).refine(({ profile, webIdentity }) => profile === undefined || webIdentity === undefined, {
  path: ["webIdentity"],
  error: "expected either a profile or webIdentity, found both",
});

const reference = z.object({
  kind: z.literal("aws"),
  region: z.string(),
  endpoint: z.string().optional(),
  environment: z.string(),
  ...loginReference,
});

export type AwsConfig = z.output<typeof config>;
export type AwsReference = z.output<typeof reference>;

/** AWS Secrets Manager: the secret `<environment>/<path>`, whose whole text is the value or a JSON document. */
export const awsSchema = {
  kind: "aws",
  config,
  reference,
  referenceOf: ({ region, endpoint, ...rest }: AwsConfig, environment: string): AwsReference => ({
    kind: "aws",
    region,
    environment,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...loginOf(rest),
  }),
  placeOf: ({ environment }: AwsReference, path: string) => `${environment}/${path}`,
  host: ({ endpoint }: AwsConfig) => (endpoint === undefined ? "AWS" : new URL(endpoint).hostname),
  onlyInLab: ({ endpoint, stsEndpoint, recoveryWindowDays }: AwsConfig) => [
    ...Object.entries({ endpoint, stsEndpoint }).flatMap(([key, url]) =>
      url === undefined || url.startsWith("https:")
        ? []
        : [{ key, message: `expected only in a lab without https, found ${url}` }],
    ),
    ...(recoveryWindowDays > 0
      ? []
      : [{ key: "recoveryWindowDays", message: "expected 7 to 30 days (0 only in a lab), found 0" }]),
  ],
  loginProblem: (_: AwsConfig, vaultSecretId: string | undefined) =>
    vaultSecretId === undefined ? undefined : "expected only with a store of the kind vault; remove this key",
  vault: () => undefined,
  marks: "tags",
  plugins: ["aws"],
  resources: {
    "aws:secretsmanager/secret:Secret": { phase: "store", holdsCredential: true },
    "aws:secretsmanager/secretVersion:SecretVersion": { phase: "store", holdsCredential: true },
  },
} as const;

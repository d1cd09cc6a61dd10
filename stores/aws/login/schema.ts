import * as z from "zod";
import { type Duration, parseDuration } from "../../../core/duration";
import { duration, httpUrl, settings, text } from "../../../core/schema-parts";

const roleArn = text(
  /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  "expected a role's ARN, such as arn:aws:iam::123456789012:role/rotation",
);

const sessionName = text(/^[\w+=,.@-]{2,64}$/, "expected 2 to 64 letters, digits or +=,.@-").default("secret-rotation");

const absolutePath = text(/^\/./, "expected an absolute path, such as /etc/ssl/certs/private.pem");

/** The settings of `store` that say how a run logs in to AWS. */
export const loginSettings = {
  /** A profile of `~/.aws/config`, also one of SSO. Default: AWS_PROFILE and the other usual variables. */
  profile: text(/^[\w+=,.@/-]+$/, "expected the name of a profile").optional(),
  /** A role that the run assumes with what it has. */
  assumeRole: settings({
    /** The role. */
    roleArn,
    /** What the role's trust policy asks for, if it does. */
    externalId: z.string().min(2).optional(),
    /** Names the run in CloudTrail. Default `secret-rotation`. */
    sessionName,
    /** How long the credentials last: 15m to 12h; a role that is assumed by a role gets 1h at most. Default 1h. */
    duration: duration
      .refine((life) => life >= parseDuration("15m") && life <= parseDuration("12h"), "expected 15m to 12h")
      .default(parseDuration("1h")),
  }).optional(),
  /** A token of an identity provider, instead of keys: OIDC of a CI system, a service account of Kubernetes. */
  webIdentity: settings({
    /** The role that trusts the provider. */
    roleArn,
    /** The file with the token; it is read anew each time. */
    tokenFile: absolutePath,
    /** Names the run in CloudTrail. Default `secret-rotation`. */
    sessionName,
  }).optional(),
  /** Another endpoint for STS, such as a VPC endpoint. Default: AWS's own in the region. */
  stsEndpoint: httpUrl.optional(),
  /** A file with authorities that sign the endpoints' certificates (PEM). Default: AWS_CA_BUNDLE. */
  caBundle: absolutePath.optional(),
};

/** The same in a step's input. */
export const loginReference = {
  profile: z.string().optional(),
  assumeRole: z
    .object({
      roleArn: z.string(),
      externalId: z.string().optional(),
      sessionName: z.string(),
      duration: z.number().transform((life) => life as Duration),
    })
    .optional(),
  webIdentity: z.object({ roleArn: z.string(), tokenFile: z.string(), sessionName: z.string() }).optional(),
  stsEndpoint: z.string().optional(),
  caBundle: z.string().optional(),
};

const shape = z.object(loginReference);

export type AwsLogin = z.output<typeof shape>;

/** Only the keys that are set: a config without them leaves the steps' input, and so the state, as it was. */
export const loginOf = ({ profile, assumeRole, webIdentity, stsEndpoint, caBundle }: AwsLogin): AwsLogin =>
  Object.fromEntries(
    Object.entries({ profile, assumeRole, webIdentity, stsEndpoint, caBundle }).filter(
      ([, value]) => value !== undefined,
    ),
  );

import * as z from "zod";
import { databaseReference } from "../../clients/postgres";
import { healthProbe } from "../../clients/probe";
import { hostReference, sshKey } from "../../clients/ssh-connect";
import { storeReference } from "../../stores/schemas";
import { place } from "../own-password/place";
import { databasePath } from "../postgres-password/paths/prove";

const namedHost = hostReference.extend({ name: z.string() });

/** What the store holds of a credential: the parts that a service reads. */
const reading = z.object({
  /** Parts that the store may lack. */
  defaults: z.record(z.string(), z.string()),
  /** The path of each part. */
  values: z.record(z.string(), z.string()).optional(),
  /** Instead: the document with all of them, and the template of each key. */
  document: z
    .object({ path: z.string(), keys: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) })
    .optional(),
});

/** What a credential logs in to. */
const target = z.discriminatedUnion("of", [
  /** With the parts `username` and `password`, from where its readers are. */
  z.object({
    of: z.literal("database"),
    database: databaseReference,
    paths: z.array(databasePath),
    places: z.array(place),
  }),
  /** With the parts `keyId` and `secretKey`. */
  z.object({ of: z.literal("alpaca"), baseUrl: z.string() }),
]);

/** What the kind of a secret says of its probes. */
export const probed = z.object({ reading, target });

/** A secret whose logins are probed. */
export const probedSecret = z.object({
  name: z.string(),
  /** Undefined: its logins are not probed, as Vault or the kind makes one for each reader. */
  logins: probed.optional(),
  /** Whether the credential that was in use first may be refused: a single user's is, until the services have restarted. */
  firstMayBeRefused: z.boolean(),
  /** Whether too many failures stop the rollout. */
  stops: z.boolean(),
  /** The services that read it. */
  services: z.array(z.string()),
});

/** What the process of the probes is told first; then comes a {@link probedSecret} a line. */
export const probeOrder = z.object({
  /** Where it answers: `socketOf`. */
  session: z.string(),
  /** A second. */
  rate: z.number(),
  threshold: z.number(),
  limit: z.number(),
  store: storeReference,
  privateKey: sshKey.optional(),
  services: z.array(
    z.object({ name: z.string(), places: z.array(z.object({ host: namedHost.optional(), probe: healthProbe })) }),
  ),
});

export type Reading = z.output<typeof reading>;
export type Target = z.output<typeof target>;
export type ProbedLogins = z.input<typeof probed>;
export type ProbedSecret = z.output<typeof probedSecret>;
export type ProbeOrder = z.output<typeof probeOrder>;

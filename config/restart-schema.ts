import * as z from "zod";
import { documentKey } from "../core/document-settings";
import { parseDuration } from "../core/duration";
import type { MaxUnavailable } from "../core/rollout";
import { duration, secretName, settings, text } from "../core/schema-parts";
import { address, answer } from "./answer-schema";

const RELOAD = "expected a command, { signal } or { http }";

/** A request that makes a service read its credential again. */
const reloadRequest = settings({
  /** Default `POST`. */
  method: z.enum(["GET", "POST", "PUT", "PATCH"]).default("POST"),
  /** Without a credential: it is stored as it is. `{address}` is replaced by the host's address. */
  url: address.refine((url) => /^http/i.test(url), { error: "expected an http:// or https:// address" }),
  /** What the answer must be. Default: any 2xx. */
  expect: answer.optional(),
  /** Where it is made: on the service's host (default), or on the machine that runs Pulumi. */
  from: z.enum(["host", "runner"]).default("host"),
});

/**
 * A command run by `sh -c`, such as `systemctl reload NAME`; or `{ signal: SIGHUP }` for the main process of the unit or
 * container; or `{ http: { method, url, expect } }`.
 */
export const reload = z.union(
  [
    z.string().min(1),
    settings({
      /** Sent to the main process of the systemd unit or of the Compose service. */
      signal: text(/^SIG(HUP|USR1|USR2|INT|TERM|QUIT|CONT|WINCH)$/, "expected a signal such as SIGHUP"),
    }),
    settings({
      /** A request to the service. */
      http: reloadRequest,
    }),
  ],
  { error: (issue) => innerMessage(issue) ?? RELOAD },
);

/** The finding inside the one form that the keys belong to. */
function innerMessage({ input, errors }: z.core.$ZodRawIssue): string | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const form = "signal" in input ? 1 : "http" in input ? 2 : 0;
  const found = ((errors as z.core.$ZodIssue[][] | undefined) ?? [])[form]?.[0];
  if (form === 0 || found === undefined) return undefined;
  return `${found.path.map(String).join(".")}: ${found.message}`.replace(/^: /, "");
}

/** A field of the answer to `health`. */
export const proof = settings({
  /** The field of the JSON answer; a path with dots for a nested one, such as `database.user`. */
  field: z.string().min(1),
  /**
   * What it shows: another value than before (`changed`, default), the login's user name (`username`), or the number of
   * the generation in use (`generation`).
   */
  shows: z.enum(["changed", "username", "generation"]).default("changed"),
  /** The secret that it is about. Default: every secret that names the service. */
  secret: secretName.optional(),
});

const HOSTS_AT_ONCE = "expected a number of hosts, or a share such as 25%";

/** Several hosts of a service at once. */
export const rollout = settings({
  /** So many hosts at once, or a share of them such as `25%` (rounded down, at least one). Default 1. */
  maxUnavailable: z
    .union([z.number().int().min(1), z.string().regex(/^[1-9][0-9]?%$/, HOSTS_AT_ONCE)], HOSTS_AT_ONCE)
    .transform((value) => value as MaxUnavailable)
    .default(1),
  /** So many hosts first, in the order of `hosts`. Default 0. */
  canary: z.number().int().min(0).default(0),
  /** How long the canaries must stay healthy before the other hosts follow. Default `0s`. */
  bake: duration.default(parseDuration("0s")),
}).refine(({ bake, canary }) => bake === 0 || canary > 0, {
  path: ["bake"],
  error: "expected only with `canary`: it is the canaries that are watched",
});

/** A command of the user's beside a restart. It must not need a secret of this pipeline, and print none. */
export const serviceHook = settings({
  /**
   * Run by `sh -c`; exit 0 is fine. In its environment: ROTATION_SERVICE, ROTATION_HOST, ROTATION_ADDRESS,
   * ROTATION_SECRET and ROTATION_GENERATION, and none of the run's credentials.
   */
  command: z.string().min(1),
  /** Where it runs: on the service's host (default), or on the machine that runs Pulumi. */
  on: z.enum(["host", "runner"]).default("host"),
  /** Default 60s. */
  timeout: duration.default(parseDuration("60s")),
});

const secretKey = text(/^[-._a-zA-Z0-9]+$/, "expected a key of a Kubernetes Secret");
const SECRET_KEYS = "expected a key of a Kubernetes Secret, or { key in the document: key of the Kubernetes Secret }";

const objectName = text(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "expected the name of a Kubernetes object");

/** The operator that copies the store into a Kubernetes Secret: exactly one of the two. */
export const sync = settings({
  /** The ExternalSecret of External Secrets. It is refreshed, and must be Ready with a later `refreshTime`. */
  externalSecret: objectName.optional(),
  /** The VaultStaticSecret of the Vault Secrets Operator, without `version`. Needs `keys`: its status does not say when it synced. */
  vaultStaticSecret: objectName.optional(),
  /**
   * By the path in the store: the key of the Kubernetes Secret that has its value. Of a JSON document: the key that has the
   * same name in both, or `{ key in the document: key of the Kubernetes Secret }` for one or several. The value is compared
   * by a salted hash, so that it is neither printed nor sent. Needs the right to `get` the Secret.
   */
  keys: z.record(secretName, z.union([secretKey, z.record(documentKey, secretKey)], SECRET_KEYS)).optional(),
  /** How long to wait. Default 2m. */
  timeout: duration.default(parseDuration("2m")),
})
  .refine((value) => (value.externalSecret === undefined) !== (value.vaultStaticSecret === undefined), {
    error: "expected either `externalSecret` or `vaultStaticSecret`",
  })
  .refine(({ vaultStaticSecret, keys }) => vaultStaticSecret === undefined || Object.keys(keys ?? {}).length > 0, {
    path: ["keys"],
    error: "expected the keys to compare, since a VaultStaticSecret does not say when it synced",
  });

import * as z from "zod";
import { blackouts, market, window } from "../core/calendar-schema";
import { formatDuration, parseDuration } from "../core/duration";
import { DEFAULT_POLICY } from "../core/policy";
import { database, duration, name, secretName, settings, text, type } from "../core/schema-parts";
import { keysWithSecrets, secret } from "../core/secret-fields";
import { alpaca, keyPairs } from "../kinds/alpaca-key/schema";
import { suppliedKeys } from "../kinds/issuer/schema";
import { secretSchema } from "../kinds/schemas";
import { store } from "../stores/schemas";
import { approvals } from "./approval-schema";
import { eventTarget, notify } from "./event-schema";
import { evidence } from "./evidence-schema";
import { neverQuiet, tooLong } from "./messages";
import { probe } from "./probe-schema";
import { hosts, service } from "./service-schema";

const policy = settings({
  /** The age no secret may pass. Default 90d; at most 90d (PCI DSS 3.6.4 as the runbook cites it). */
  maxAge: duration.default(DEFAULT_POLICY.maxAge),
  /** A rotation is due this long before maxAge. Default 24h: a daily run is never late. */
  lead: duration.default(DEFAULT_POLICY.lead),
  /** How long the previous credential stays valid after a rotation. Default 24h. */
  gracePeriod: duration.default(DEFAULT_POLICY.gracePeriod),
  /**
   * How long the previous login is kept after a rotation while it is still in use: by sessions, foreign-data mappings,
   * scheduled jobs. Default 7d, or gracePeriod if that is longer. After that the login is revoked even if it is in use.
   */
  gracePeriodMax: duration.default(DEFAULT_POLICY.gracePeriodMax),
  /**
   * How long the previous login must be watched and unused before it is revoked, such as 48h: longer than the longest pause
   * of a user that the config does not name. `rotation watch` watches it. Default: none, and the login is revoked by the first
   * update after the grace period that finds it unused. gracePeriodMax is the limit in any case. For alternating-users.
   */
  quietPeriod: duration.optional(),
  /** How long after a rollback the next rotation by age waits. Default 24h. */
  retryAfter: duration.default(DEFAULT_POLICY.retryAfter),
  /**
   * Spreads due days: each secret is due up to this much earlier, by a share of it that depends on the environment and the
   * secret's name. Default 0: what was rotated together is due together.
   */
  jitter: duration.optional(),
}).superRefine((value, context) => {
  if (value.lead >= value.maxAge) {
    context.addIssue({ code: "custom", path: ["lead"], message: tooLong(value.lead, value.maxAge) });
  } else if (value.lead + (value.jitter ?? 0) >= value.maxAge) {
    context.addIssue({
      code: "custom",
      path: ["jitter"],
      message: tooLong(value.jitter ?? 0, value.maxAge - value.lead),
    });
  }
  const { gracePeriod, gracePeriodMax } = value;
  if (gracePeriodMax < gracePeriod && gracePeriodMax !== DEFAULT_POLICY.gracePeriodMax) {
    const message = `expected at least gracePeriod (${formatDuration(gracePeriod)}), found ${formatDuration(gracePeriodMax)}`;
    context.addIssue({ code: "custom", path: ["gracePeriodMax"], message });
  }
  if (value.quietPeriod !== undefined && value.quietPeriod >= Math.max(gracePeriod, gracePeriodMax)) {
    context.addIssue({ code: "custom", path: ["quietPeriod"], message: neverQuiet(value) });
  }
  if (value.maxAge > DEFAULT_POLICY.maxAge) {
    const message = `expected at most 90d (PCI DSS 3.6.4), found ${formatDuration(value.maxAge)}`;
    context.addIssue({ code: "custom", path: ["maxAge"], message });
  }
});

const REASON = "expected a reason, which is written into the audit log";

/** A command that only checks and changes nothing, run by `sh -c`. */
const command = settings({
  /** Run by `sh -c`; exit 0 is fine. */
  command: z.string().min(1),
  /** Where it runs, a name of `hosts`. Default: the machine that runs this. */
  host: name.optional(),
  /** Default 120s. */
  timeout: duration.default(parseDuration("120s")),
});

/** What `rotation validate` checks besides what it can see itself. */
const validation = settings({
  /**
   * Prints the authentication errors in a service's log, and nothing if there are none; run on each host of each
   * service. `{service}` and `{since}` (ISO 8601) are replaced by the service and the time of the rotation.
   */
  logs: z.string().min(1).optional(),
  /** The paper run, such as `make paper-run`; exit 0 is fine. */
  paperRun: command.optional(),
});

const wishes = (request: object) => ["rotate", "activate", "adopt"].filter((wish) => wish in request);

const request = settings({
  /** Any text or number; a request acts once, and the next one needs a new id. */
  id: z.preprocess((id) => (typeof id === "number" ? String(id) : id), z.string().min(1).max(100)),
  /** The secret's name. */
  secret: secretName,
  /** Rotates now, whatever its age. */
  rotate: z.literal(true).optional(),
  /** With rotate: a leaked secret. Does not wait for the market to close, and the old login is revoked at once. */
  emergency: z.literal(true).optional(),
  /** Goes back to this generation: the previous one, or 0 for the value that was adopted. */
  activate: z.number().int().min(0).optional(),
  /** Adopts a value from an external write to the store; first set it as `adopted`. */
  adopt: z.literal(true).optional(),
  /** With rotate or activate: overwrites an external write to the store. The audit row says what it was. */
  force: z.literal(true).optional(),
  /** Why, for the audit log. */
  reason: z.string(REASON).min(1, REASON).max(500),
})
  .refine((value) => wishes(value).length === 1, {
    error: (issue) =>
      "expected either `rotate: true`, `activate: <generation>` or `adopt: true`, found " +
      (wishes(issue.input as object).join(" and ") || "none of them"),
  })
  .refine((value) => value.force === undefined || value.adopt === undefined, {
    path: ["force"],
    error: "expected only with `rotate` or `activate`: an adoption overwrites nothing",
  })
  .refine((value) => value.emergency === undefined || value.rotate, {
    path: ["emergency"],
    error: "expected only with `rotate: true`: a rollback waits for no market hours anyway",
  });

/** The shape of every key under `secret-rotation:`; what ties keys together is checked in `checks.ts`. */
export const schema = settings({
  /** Names the environment in store paths and in the audit log, such as `paper` or `prod`. */
  environment: text(/^[a-z][a-z0-9-]*$/, "expected a lower-case word, such as paper or prod"),
  /** When secrets rotate and how long the previous credential stays valid. */
  policy: policy.default(DEFAULT_POLICY),
  store,
  /** Queried for whether the market is open, and for the account of every key pair. */
  alpaca: alpaca.optional(),
  /** What must hold before a rotation begins. */
  preflight: settings({
    /** Rotates also while the market is open. Default false. Its use is written into the audit row. */
    allowOpenMarket: z.boolean().default(false),
    /**
     * How long before a rotation by age the team must be notified (`rotation remind`). Default: 24h if `notify` is set,
     * else no notice is needed. An emergency does not wait.
     */
    notice: duration.optional(),
    /**
     * Whether a new password logs in from every reader's host, over every path, before the store is written. Default true. A
     * stack that has it already begins with its next rotation. See docs/rehearsal.md.
     */
    rehearse: z.boolean().default(true),
  }).default({ allowOpenMarket: false, rehearse: true }),
  /**
   * The hours in which rotations by age and of new keys run, one or a list: `{ days: [SAT, SUN], from: "02:00", to: "05:00",
   * timezone: America/New_York }`. Default: at any time. A request (`rotation run NAME`, `rotate-now`, `rollback`) does not
   * wait. See docs/windows.md.
   */
  window: window.optional(),
  /** Days or times in which no rotation by age and of a new key begins: a date, a range, an iCalendar file, or a list of them. */
  blackouts: blackouts.optional(),
  /**
   * When the market is open, without asking Alpaca: rotations by age and of new keys wait until it is closed, and any other
   * rotation but an emergency is refused while it is open.
   */
  market: market.optional(),
  /**
   * Probes while an update runs: logins with what each service would use at that moment, over every path, and the health of
   * every service. The audit row says how many failed. `{}` takes the defaults. Default: no probes. See docs/probes.md.
   */
  probe: probe.optional(),
  /** The machines on which services run, by names of your own. */
  hosts: hosts.default({}),
  /** Everything that reads a secret and is restarted after a rotation, by the service's name. */
  services: z.record(name, service),
  /** How the restarts of several secrets belong together. */
  restarts: settings({
    /**
     * Restarts a service once for all secrets that it reads and that are due in the same update, after all their values are
     * in the store. Default false: once for each. Only for secrets whose old and new value are valid at once. A secret that
     * cannot rotate then holds up the others of its group. A change restarts nothing that runs on `hosts`.
     */
    shared: z.boolean().default(false),
  }).default({ shared: false }),
  /** In the order in which they rotate. If one is removed, the stack forgets it and it stays as it is. */
  secrets: z.array(secretSchema),
  /** The database of `secret_rotation_log`. Default: the database of the first secret. */
  audit: database.optional(),
  /** An operator's request, carried out once. `rotation` writes it; you may write it too. It may stay in the config. */
  request: request.optional(),
  /** Where `rotation remind` sends its messages. */
  notify: notify.optional(),
  /** Who gets an event when a rotation starts, finishes, fails or is due, by names of your own (`docs/events.md`). */
  events: z.record(name, eventTarget).default({}),
  /**
   * Who must have approved a plan before an update carries it out: a rotation, a rollback or an adoption, emergencies too.
   * Default: nobody. See `docs/evidence.md`.
   */
  approvals: approvals.optional(),
  /** Who signs evidence, and where the audit log's end is noted outside of the database (`docs/evidence.md`). */
  evidence: evidence.optional(),
  validation: validation.default({}),
  /** Secret. The values in use before this stack, by the secret's name: what generation 0 rolls back to. */
  adopted: z.record(secretName, secret(z.string().min(1)), type("expected an object from names to values")).default({}),
  /** Secret. The password of Vault's own login on each database, by the connection's name in Vault. */
  connectionPasswords: z
    .record(z.string(), secret(z.string().min(1)), type("expected an object from connections to passwords"))
    .default({}),
  /** Secret. Alpaca's key pairs by the secret's name; `rotation alpaca add-key` writes it. */
  alpacaKeys: z.record(secretName, keyPairs, type("expected an object from names to pairs")).default({}),
  /** Secret. The keys of secrets of kind `api-key`, by the secret's name; `rotation key add NAME` writes it. */
  apiKeys: z.record(secretName, suppliedKeys, type("expected an object from names to keys")).default({}),
  /**
   * Secret. The key of the fingerprints (HMAC) that are kept of every credential, 32 bytes or more in base64, for `rotation
   * leaked`: `openssl rand -base64 32`. Default: none is kept. Another key makes the earlier fingerprints useless.
   */
  fingerprintKey: secret(
    text(/^(?:[A-Za-z0-9+/]{4}){10,}(?:[A-Za-z0-9+/]{2,3}=+)?$/, "expected 32 bytes or more in base64"),
  ).optional(),
  /** Secret. The secret id of the AppRole that `store.auth` names. */
  vaultSecretId: secret(z.string().min(1)).optional(),
  /** Secret. The passphrase of the databases' `sslkey`, if it has one. Not with `alternating-users`, whose plugin takes none. */
  sslPassword: secret(z.string().min(1)).optional(),
  /** Secret. The private key for every host, OpenSSH format. */
  sshPrivateKey: secret(z.string().min(1)).optional(),
  /** Secret. The passphrase of `sshPrivateKey`, if it has one. */
  sshKeyPassphrase: secret(z.string().min(1)).optional(),
  /** Instead of `sshPrivateKey`: the run's SSH agent (SSH_AUTH_SOCK) opens every host. Default false. */
  sshAgent: z
    .preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean())
    .default(false),
  /** Only if every address is a loopback address. */
  lab: settings({
    /** The time that the stack uses instead of the machine's. */
    clock: z.iso.datetime({ offset: true, error: "expected a time such as 2026-11-23T02:00:00Z" }).optional(),
  }).optional(),
});

/** The keys whose values are secrets or contain some: none of it is ever repeated in a message. */
export const SECRET_KEYS: readonly string[] = keysWithSecrets(schema.shape);

export type Config = z.output<typeof schema>;
export type { HostConfig } from "./service-schema";
export type ServiceConfig = z.output<typeof service>;
export type { StoreConfig } from "../stores/schemas";
export type { EventTargetConfig, NotifyConfig } from "./event-schema";
export type { AnchorPlaceConfig, EvidenceConfig, SignConfig } from "./evidence-schema";

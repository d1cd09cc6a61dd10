import * as z from "zod";
import { EVENT_TYPES, type EventTarget } from "../core/events";
import { byKind, httpUrl, port, settings } from "../core/schema-parts";
import { secret } from "../core/secret-fields";

/** A mail server, and who gets the mails. */
const mail = {
  /** Name or address of the mail server. */
  host: z.string().min(1),
  /** Default 587. */
  port: port.default(587),
  /** `starttls` (default) insists on it; `tls` is for port 465. */
  encryption: z.enum(["starttls", "tls"]).default("starttls"),
  /** Default true; false only if the server is on a loopback address. */
  verifyCertificate: z.boolean().default(true),
  /** The login at the mail server. Default: none. */
  user: z.string().min(1).optional(),
  /** Secret. The login's password. */
  password: secret(z.string().min(1)).optional(),
  /** The sender's address. */
  from: z.string().min(1),
  /** The recipients' addresses. Each gets a mail of its own; one that is refused is tried again alone. */
  to: z.array(z.string().min(1)).min(1),
};

/** Where reminders go. */
export const notify = settings({
  /** Secret. Slack's incoming webhook. */
  slackWebhook: secret(httpUrl).optional(),
  /** The mail server, and who gets the mails. */
  email: settings(mail).optional(),
}).refine(({ slackWebhook, email }) => slackWebhook !== undefined || email !== undefined, {
  error: "expected slackWebhook or email, found neither",
});

/** Which events it gets. */
const types = z.array(z.enum(EVENT_TYPES)).min(1);

/** Your own receiver: CloudEvents 1.0 as JSON, signed as Standard Webhooks describes. */
const webhook = settings({
  /** What the target is; the other keys depend on it. */
  kind: z.literal("webhook"),
  /** Secret. Where events are posted; `https://`, except on a loopback address. */
  url: secret(httpUrl),
  /** Secret. The signing key: `whsec_` and 24 to 64 bytes in base64. `echo "whsec_$(openssl rand -base64 32)"` makes one. */
  secret: secret(z.string().min(1)),
  /** Which events it gets. Default: all. */
  types: types.default([...EVENT_TYPES]),
});

/** A channel of Slack. */
const slack = settings({
  /** A channel of Slack. */
  kind: z.literal("slack"),
  /** Secret. Slack's incoming webhook. */
  url: secret(httpUrl),
  /** Which events it gets. Default: all. */
  types: types.default([...EVENT_TYPES]),
});

/** A channel of Microsoft Teams. */
const teams = settings({
  /** A channel of Microsoft Teams. */
  kind: z.literal("teams"),
  /** Secret. The address of the workflow "Post to a channel when a webhook request is received". */
  url: secret(httpUrl),
  /** Which events it gets. Default: all. */
  types: types.default([...EVENT_TYPES]),
});

/** A service of PagerDuty. */
const pagerduty = settings({
  /** A service of PagerDuty. */
  kind: z.literal("pagerduty"),
  /** Secret. The integration key of an Events API v2 integration. */
  routingKey: secret(z.string().min(1)),
  /** Default `https://events.pagerduty.com/v2/enqueue`; accounts in the EU have `https://events.eu.pagerduty.com/v2/enqueue`. */
  url: httpUrl.default("https://events.pagerduty.com/v2/enqueue"),
  /** Which events it gets. Default: failed and overdue, which open an incident, and finished and rolled-back, which resolve it. */
  types: types.default(["failed", "overdue", "finished", "rolled-back"]),
});

/** Mails. If one recipient is refused, the next attempt sends to all of them again. */
const email = settings({
  /** Mails. */
  kind: z.literal("email"),
  ...mail,
  /** Which events it gets. Default: all. */
  types: types.default([...EVENT_TYPES]),
});

/** Who gets events. */
export const eventTarget = z.discriminatedUnion("kind", [webhook, slack, teams, pagerduty, email], byKind);

export type NotifyConfig = z.output<typeof notify>;
export type EventTargetConfig = z.output<typeof eventTarget>;

/** The receivers of a config, without anything secret. */
export const eventTargets = (events: Readonly<Record<string, EventTargetConfig>>): EventTarget[] =>
  Object.entries(events).map(([name, { types: wanted }]) => ({ name, types: wanted }));

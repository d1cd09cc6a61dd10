import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import { poll } from "../../clients/poll";
import type { RunScript } from "../../clients/shell";
import { StepError } from "../../core/errors";
import { secret } from "../../core/secret-fields";
import { quoted } from "../../core/shell-word";

/** What copies the store into a Kubernetes Secret, in a step's input. */
export const syncInput = z.object({
  /** `kubectl` with its context and namespace. */
  kubectl: z.string(),
  operator: z.enum(["externalSecret", "vaultStaticSecret"]),
  /** The object's name. */
  name: z.string(),
  /** Fields of the Kubernetes Secret and what they must hold. */
  values: z.array(z.object({ field: z.string(), value: secret(z.string()) })),
  /** Milliseconds. */
  timeout: z.number(),
});

export type Sync = z.output<typeof syncInput>;

/** The operators' objects, as kubectl names them without doubt. */
export const SYNCED = {
  externalSecret: { kind: "ExternalSecret", resource: "externalsecrets.external-secrets.io" },
  vaultStaticSecret: { kind: "VaultStaticSecret", resource: "vaultstaticsecrets.secrets.hashicorp.com" },
} as const;

const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

/** What both operators' objects have in common, as far as it is read. */
const object = z.looseObject({
  spec: z
    .looseObject({
      refreshPolicy: z.string().optional(),
      refreshInterval: z.string().optional(),
      version: z.number().optional(),
      target: z.looseObject({ name: z.string().optional() }).optional(),
      destination: z.looseObject({ name: z.string().optional() }).optional(),
    })
    .default({}),
  status: z
    .looseObject({ refreshTime: z.string().optional(), conditions: z.array(condition).default([]) })
    .default({ conditions: [] }),
});

const events = z.object({
  items: z.array(
    z.object({
      type: z.string(),
      lastTimestamp: z
        .string()
        .nullish()
        .transform((time) => time ?? ""),
      reason: z.string(),
      message: z.string().default(""),
    }),
  ),
});

type SyncedObject = z.output<typeof object>;

/** Milliseconds between two queries, and how many queries later the sync is requested again. */
const PAUSE = 1000;
const AGAIN = 10;

/** Milliseconds that one kubectl may take. */
const LIMIT = 30_000;

/**
 * Has the operator read the store again, and waits until the Kubernetes Secret has the new value: for External Secrets
 * until the object is Ready with a later `refreshTime`, and for each key that the config names until its value is the new
 * one. Values are compared by a salted hash, so that none is printed or sent.
 *
 * @throws StepError with the operator's own reason
 */
export async function waitForSync(sync: Sync, run: RunScript): Promise<string> {
  const { operator, name, values, timeout } = sync;
  const { kind } = SYNCED[operator];
  const before = await read(sync, run);
  const { refreshPolicy, version = 0 } = before.spec;
  if (refreshPolicy === "CreatedOnce") {
    throw failure(sync, "its refreshPolicy is CreatedOnce, so it never takes a new value; set Periodic or OnChange");
  }
  if (version > 0) throw failure(sync, `its version is ${version}, so it never takes a new value; remove that field`);
  let differs: readonly string[] = [];
  const isDone = async (now: SyncedObject) => {
    const { refreshTime } = now.status;
    const refreshed = refreshTime !== undefined && refreshTime !== before.status.refreshTime;
    if (operator === "externalSecret" && !(refreshed && isReady(now))) return false;
    differs = await differing(sync, now, run);
    return differs.length === 0;
  };
  const last = await poll(
    async (asked) => {
      if (asked % AGAIN === 1) await request(sync, run);
      const now = await read(sync, run);
      return { now, done: await isDone(now) };
    },
    ({ done }) => done,
    { limit: timeout, every: PAUSE },
  );
  if (!last.done) {
    const event = operator === "vaultStaticSecret" ? `; ${await latestEvent(sync, run)}` : "";
    throw failure(sync, `${waited(timeout)}: ${reasonOf(sync, before, last.now, differs)}${event}`);
  }
  const keys = values.map(({ field }) => field).join(" and ");
  return `the ${kind} ${name} has synced${keys === "" ? "" : `, ${keys} compared`}`;
}

const waited = (timeout: number) => `it has not synced within ${Math.ceil(timeout / 1000)} s`;

const isReady = ({ status }: SyncedObject) =>
  status.conditions.some((one) => one.type === "Ready" && one.status === "True");

function reasonOf({ operator }: Sync, before: SyncedObject, now: SyncedObject, differs: readonly string[]): string {
  const bad = now.status.conditions.find(({ status }) => status !== "True");
  if (bad !== undefined) {
    return `${bad.type} is ${bad.status} (${[bad.reason, bad.message]
      .filter((part) => part !== undefined)
      .join(": ")
      .slice(0, 300)})`;
  }
  if (differs.length > 0) {
    const holds = differs.length === 1 ? "is not the new value" : "are not the new values";
    return `${differs.join(" and ")} of the Kubernetes Secret ${holds}`;
  }
  const { refreshTime = "empty" } = now.status;
  if (operator === "externalSecret" && refreshTime === (before.status.refreshTime ?? "empty")) {
    const { refreshInterval = "" } = now.spec;
    const never = /^0[a-z]*$/.test(refreshInterval)
      ? `; with refreshInterval ${refreshInterval} recent versions of External Secrets ignore a request to refresh: set one`
      : "; is the operator running?";
    return `its refreshTime is still ${refreshTime}${never}`;
  }
  return "it is not Ready";
}

/** What the operator said last about an object: the Vault Secrets Operator before 1.0 gives its reasons nowhere else. */
async function latestEvent({ kubectl, operator, name }: Sync, run: RunScript): Promise<string> {
  const about = `involvedObject.kind=${SYNCED[operator].kind},involvedObject.name=${name}`;
  const { status, output } = await got(`${kubectl} get events --field-selector ${about}`, run);
  if (status !== 0) return `its events, which may say why, could not be read (${output.trim().slice(-300)})`;
  const last = eventsIn(output).at(-1);
  if (last === undefined) return "it has no recent event: is the operator running?";
  const { type, lastTimestamp, reason, message } = last;
  const words = `${reason}: ${message.replace(/\s+/g, " ").trim()}`.slice(0, 300);
  const event = `its latest event, of ${lastTimestamp}, is ${words}`;
  return type === "Warning" ? event : `${event}; is the operator running, and does it read this path of the store?`;
}

/** The events of a list of Kubernetes', oldest first. */
function eventsIn(list: string) {
  try {
    return events.parse(JSON.parse(list)).items.sort((a, b) => a.lastTimestamp.localeCompare(b.lastTimestamp));
  } catch {
    return [];
  }
}

const failure = ({ operator, name, kubectl }: Sync, why: string) =>
  new StepError(
    `the ${SYNCED[operator].kind} ${name}: ${why}${why.endsWith("?") ? "" : "."} Nothing was restarted: the pods keep the old credential. See ` +
      `\`${kubectl} describe ${SYNCED[operator].resource} ${name}\`, fix it and run this again, which continues here; or roll back.`,
  );

/** Any changed annotation makes both operators read the store again. */
async function request(sync: Sync, run: RunScript): Promise<void> {
  const { kubectl, operator, name } = sync;
  const mark = `rotation-${Date.now()}`;
  const command = `${kubectl} annotate ${SYNCED[operator].resource} ${name} force-sync=${mark} --overwrite`;
  const { status, output } = await run(command, LIMIT);
  if (status !== 0) throw failure(sync, `a sync could not be requested: ${output.trim().slice(-300)}`);
}

async function read(sync: Sync, run: RunScript): Promise<SyncedObject> {
  const { kubectl, operator, name } = sync;
  const { status, output } = await got(`${kubectl} get ${SYNCED[operator].resource} ${name}`, run);
  if (status !== 0) throw failure(sync, `it could not be read: ${output.trim().slice(-300)}`);
  try {
    return object.parse(JSON.parse(output));
  } catch {
    throw failure(sync, "kubectl printed no object as JSON");
  }
}

/** What a `kubectl get` finds, as JSON; what it says if it fails. A warning on stderr is no part of either. */
const got = (get: string, run: RunScript) => {
  const told = `if [ $status -eq 0 ]; then printf '%s\\n' "$found"; else cat "$said"; fi`;
  const script = `said=$(mktemp) || exit 1\nfound=$(${get} -o json 2>"$said")\nstatus=$?\n${told}\nrm -f "$said"\nexit $status`;
  return run(script, LIMIT);
};

/** The keys whose value is not the new one yet. */
async function differing(sync: Sync, { spec }: SyncedObject, run: RunScript): Promise<string[]> {
  const { kubectl, name, values } = sync;
  const target = spec.target?.name ?? spec.destination?.name ?? name;
  const found: string[] = [];
  for (const { field, value } of values) {
    const salt = randomBytes(16).toString("hex");
    const template = quoted(`{{index .data "${field}"}}`);
    // The value stays in the shell's own variable and pipe: neither a process list nor the output has it.
    const script = `value=$(${kubectl} get secret ${quoted(target)} -o go-template=${template} 2>&1) || { printf '%s' "$value"; exit 1; }\n{ printf %s ${salt}; printf %s "$value" | base64 -d 2>/dev/null; } | sha256sum | cut -d' ' -f1`;
    const { status, output } = await run(script, LIMIT);
    if (status !== 0) throw failure(sync, `the Secret ${target} could not be read: ${output.trim().slice(-300)}`);
    const expected = createHash("sha256").update(salt).update(value).digest("hex");
    if (!output.split("\n").some((line) => line.trim() === expected)) found.push(field);
  }
  return found;
}

import * as z from "zod";
import { databaseReference } from "../../clients/postgres";
import { healthProbe } from "../../clients/probe";
import { hostReference, sshKey } from "../../clients/ssh";
import { messageOf } from "../../core/errors";
import { secret } from "../../core/secret-fields";
import { storeClient } from "../../stores";
import { storeReference } from "../../stores/schemas";
import { storeEntry } from "../../stores/store";
import { checkAuditLog } from "./audit-log";
import { checkExchange, checkWindow, exchangeHours } from "./calendar";
import { type Allowed, checkMarket } from "./market";
import { checkNotice, noticeInput } from "./notice";
import { checkHost, checkLocalService } from "./services";
import { checkCurrentValue, checkDocuments } from "./store";

/** Alpaca's API, and the paths in the store of the pair for it. */
const marketClock = z.object({
  baseUrl: z.string(),
  keyIdPath: z.string().optional(),
  secretKeyPath: z.string().optional(),
  /** The keys of the pair, if it is in a JSON document. */
  keys: z.tuple([z.string(), z.string()]).optional(),
});

/** What the preflight of every secret checks. A kind adds its own part ({@link KindChecks}). */
export const preflightInput = z.object({
  mode: z.enum(["adoption", "rotation", "emergency", "rollback", "repair"]),
  secretName: z.string(),
  store: storeReference,
  paths: z.array(z.string()),
  /** The keys of each JSON document; a path that is not in it has one value. */
  documents: z.record(z.string(), z.array(z.string())).default({}),
  audit: databaseReference,
  services: z.array(
    z.object({
      name: z.string(),
      hosts: z.array(z.string()),
      /** How its health is queried; `{address}` is replaced by the host's address. */
      probe: healthProbe,
      /** A command that checks that the restart finds its target, and changes nothing. */
      restartCheck: z.string().optional(),
      /** A script that checks whether the account may restart it, and changes nothing. */
      restartRights: z.string().optional(),
    }),
  ),
  /** How long the rotation may take, in milliseconds. */
  takes: z.number().default(0),
  hosts: z.record(z.string(), hostReference),
  privateKey: sshKey.optional(),
  alpaca: marketClock.optional(),
  allowOpenMarket: z.boolean(),
  current: z
    .object({
      username: z.string().optional(),
      password: secret(z.string()).optional(),
      entries: z.array(storeEntry),
      /** Whether it is the config's `adopted`: if the login is refused, that is the likelier cause. */
      adopted: z.boolean().optional(),
    })
    .optional(),
  /** What the paths may hold if the value in use is not known; undefined if it is known (`current`). */
  expected: z.array(storeEntry).optional(),
  /** Until when the window is open, for a scheduled rotation; `now` is the lab's clock. */
  window: z.object({ until: z.string(), now: z.string().nullable() }).optional(),
  /** Why a rotation that does not wait for its window would have to, in words: written into the audit row. */
  passedOver: z.string().optional(),
  /** Whether the market is open by the config's own hours, and until when. */
  exchange: exchangeHours.optional(),
  /** For rotations by age only; undefined if no notice is needed. */
  notice: noticeInput.optional(),
  /** What to do if the store holds another value than `current`; the end of the message. */
  whenForeign: z.string(),
  /** Whether that other value is overwritten, since a request says so. */
  force: z.boolean().optional(),
});

export type PreflightInput = z.output<typeof preflightInput>;

/** A login with its password. */
interface Login {
  readonly username: string;
  readonly password: string;
}

/** A kind's own checks, for the part of the input that only it has. */
export interface KindChecks<Part> {
  readonly input: z.ZodType<Part>;
  of(part: Part, given: PreflightInput): OwnChecks;
}

/** What the preflight of one secret does besides the common checks. */
export interface OwnChecks {
  /** Whether the store keeps the value, so that a rollback to an unknown one is impossible. */
  readonly isStored: boolean;
  readonly checks: readonly Check[];
  /** Proves the login in use by a real one. */
  readonly proveLogin?: (login: Login) => Promise<string>;
  /** What else the step prints, for later steps. */
  readonly answer?: () => Promise<Readonly<Record<string, unknown>>>;
}

/** One thing that must hold before anything is touched. */
export interface Check {
  readonly name: string;
  /** Checks that must have passed before: otherwise this one would only repeat the same failure. */
  readonly needs?: readonly string[];
  /** Returns the evidence, and what the config let pass, if anything. */
  readonly run: () => Promise<string | Allowed | Warned>;
}

/** A check that passed, and its warnings. */
interface Warned {
  readonly evidence: string;
  readonly warnings: readonly string[];
}

function checksOf(given: PreflightInput, own: OwnChecks): Check[] {
  const { mode, store, audit, services, hosts, privateKey, alpaca } = given;
  // A rollback and a repair fix unhealthy services, so they do not require healthy ones; an adoption restarts none.
  const asked = { healthy: mode === "rotation" || mode === "emergency", restartable: mode !== "adoption" };
  return [
    { name: "store", run: () => checkStore(given) },
    ...own.checks,
    { name: "audit log", run: () => checkAuditLog(audit) },
    ...Object.entries(hosts).map(([name, host]) => ({
      name: `host ${name}`,
      run: () =>
        checkHost(
          name,
          host,
          privateKey,
          services.filter((service) => service.hosts.includes(name)),
          asked,
        ),
    })),
    ...services
      .filter((service) => service.hosts.length === 0 && (asked.healthy || (asked.restartable && isRestarted(service))))
      .map((service) => ({ name: `service ${service.name}`, run: () => checkLocalService(service, asked) })),
    ...(mode === "rotation" && alpaca !== undefined
      ? [
          {
            name: "market",
            needs: ["store"],
            run: () => checkMarket(alpaca, storeClient(store), given.allowOpenMarket, given.takes),
          },
        ]
      : []),
    ...calendarChecks(given),
    ...noticeChecks(given),
    ...currentChecks(given, own),
  ];
}

/** The store may be written, and its present content may be overwritten. */
async function checkStore({
  store,
  paths,
  documents,
  takes,
  force,
  expected,
  whenForeign,
}: PreflightInput): Promise<string> {
  const client = storeClient(store);
  const evidence = await client.check(paths, Math.ceil(takes / 1000));
  // The step right before the write reports what is overwritten.
  if (!force) await checkDocuments(client, paths, expected, whenForeign, documents);
  return evidence;
}

/** Whether its restart is checked. */
const isRestarted = ({ restartCheck, restartRights }: PreflightInput["services"][number]) =>
  restartCheck !== undefined || restartRights !== undefined;

function calendarChecks({ window, passedOver, exchange, takes, allowOpenMarket }: PreflightInput): Check[] {
  return [
    ...(passedOver === undefined ? [] : [{ name: "window", run: async () => `does not wait, though ${passedOver}` }]),
    ...(window === undefined ? [] : [{ name: "window", run: async () => checkWindow(window, takes, new Date()) }]),
    ...(exchange === undefined
      ? []
      : [{ name: exchange.name, run: async () => checkExchange(exchange, allowOpenMarket, takes, new Date()) }]),
  ];
}

function noticeChecks({ notice, audit, secretName, store }: PreflightInput): Check[] {
  if (notice === undefined) return [];
  return [{ name: "team notified", run: () => checkNotice(audit, secretName, store.environment, notice) }];
}

/** The credential in use is proven before it is touched. */
function currentChecks({ current, store, whenForeign, force }: PreflightInput, { proveLogin }: OwnChecks): Check[] {
  if (current === undefined) return [];
  const { username, password, entries } = current;
  // The login may have been changed as well. The step right before the write reports what is overwritten.
  if (force) return [];
  const login = "current login";
  const value = {
    name: "current value",
    // A wrong `adopted` is one cause; after an external write the version helps, whether the login works or not.
    needs: current.adopted ? ["store", login] : ["store"],
    run: () => checkCurrentValue(storeClient(store), entries, whenForeign),
  };
  if (proveLogin === undefined || username === undefined || password === undefined) return [value];
  return [{ name: login, needs: ["database"], run: () => proveLogin({ username, password }) }, value];
}

/** What the config let pass, and what could not be checked: written into the audit row. */
export function overridesOf(
  { mode, allowOpenMarket, alpaca, exchange, passedOver, current }: PreflightInput,
  { isStored }: OwnChecks,
  results: readonly CheckResult[],
) {
  return [
    ...results.flatMap(({ override }) => override ?? []),
    ...(passedOver === undefined ? [] : [`window: did not wait, though ${passedOver}`]),
    ...(mode === "rotation" && allowOpenMarket && alpaca === undefined && exchange === undefined
      ? ["allowOpenMarket: market hours not asked"]
      : []),
    ...(mode === "emergency" ? ["emergency: neither market hours nor notice asked"] : []),
    ...(mode === "rotation" && current === undefined && isStored
      ? ["previous value unknown: no rollback possible"]
      : []),
  ];
}

/** The result of a check: the evidence, or what was found instead. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly evidence: string;
  /** What the config let pass. */
  readonly override?: string;
  /** Warnings, which do not stop a rotation. */
  readonly warnings?: readonly string[];
}

/** Runs every check, all at once; a failed one stops only those that need it. */
export async function runChecks(given: PreflightInput, own: OwnChecks): Promise<CheckResult[]> {
  const running = new Map<string, Promise<CheckResult | undefined>>();
  for (const check of checksOf(given, own)) {
    const needed = (check.needs ?? []).flatMap((name) => running.get(name) ?? []);
    running.set(check.name, resultOf(check, needed));
  }
  return (await Promise.all(running.values())).filter((result) => result !== undefined);
}

/** Undefined if a check that this one needs has failed. */
async function resultOf(
  { name, run }: Check,
  needed: readonly Promise<CheckResult | undefined>[],
): Promise<CheckResult | undefined> {
  if ((await Promise.all(needed)).some((result) => !result?.ok)) return undefined;
  try {
    const found = await run();
    return { name, ok: true, ...(typeof found === "string" ? { evidence: found } : found) };
  } catch (error) {
    return { name, ok: false, evidence: messageOf(error) };
  }
}

/** What failed, a line each; checks that failed for the same reason share one. */
export function failureOf(
  { secretName }: Pick<PreflightInput, "secretName">,
  results: readonly CheckResult[],
): string | undefined {
  const failed = results.filter(({ ok }) => !ok);
  if (failed.length === 0) return undefined;
  const reasons = [...new Set(failed.map(({ evidence }) => evidence))];
  const lines = reasons.map((reason) => {
    const names = failed.filter(({ evidence }) => evidence === reason).map(({ name }) => name);
    return `  ${names.join(", ")}: ${reason}`;
  });
  return [
    `preflight for ${secretName}: ${failed.length} of ${results.length} checks failed; nothing was changed`,
    ...lines,
  ].join("\n");
}

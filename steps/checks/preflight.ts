import { z } from "zod";
import { databaseReference } from "../database";
import { messageOf } from "../run-step";
import { hostReference } from "../ssh";
import { storeClient, storeEntry, storeReference } from "../store";
import { checkAuditLog, checkCurrentLogin, checkDatabase } from "./database";
import { checkMarket } from "./market";
import { checkNotice, noticeInput } from "./notice";
import { checkHost, checkLocalService } from "./services";
import { checkCurrentValue } from "./store";

/** Alpaca's API, and where in the store the pair is that it is asked with. */
const marketClock = z.object({
  baseUrl: z.string(),
  keyIdPath: z.string().optional(),
  secretKeyPath: z.string().optional(),
});

/** All that the preflight of one secret looks at. */
export const preflightInput = z.object({
  mode: z.enum(["adoption", "rotation", "emergency", "rollback", "repair"]),
  secretName: z.string(),
  store: storeReference,
  paths: z.array(z.string()),
  database: databaseReference.extend({ roles: z.array(z.string()) }).optional(),
  audit: databaseReference,
  services: z.array(z.object({ name: z.string(), hosts: z.array(z.string()), health: z.string() })),
  hosts: z.record(z.string(), hostReference),
  privateKey: z.string().optional(),
  alpaca: marketClock.optional(),
  allowOpenMarket: z.boolean(),
  current: z
    .object({ username: z.string().optional(), password: z.string().optional(), entries: z.array(storeEntry) })
    .optional(),
  /** Asked for a rotation by age alone; undefined where nobody has to be told. */
  notice: noticeInput.optional(),
  /** What to do where the store holds another value than `current`; the end of the message. */
  whenForeign: z.string().optional(),
  /** Whether that other value is overwritten all the same: a request said so. */
  force: z.boolean().optional(),
});

export type PreflightInput = z.output<typeof preflightInput>;

/** One thing that must hold before anything is touched. */
interface Check {
  readonly name: string;
  /** Returns the evidence. */
  readonly run: () => Promise<string>;
}

function checksOf(given: PreflightInput): Check[] {
  const { mode, store, paths, database, audit, services, hosts, privateKey, alpaca } = given;
  const client = () => storeClient(store);
  // A rollback and a repair mend unhealthy services, so they do not ask for healthy ones; an adoption restarts none.
  const healthy = mode === "rotation" || mode === "emergency";
  return [
    { name: "store", run: () => client().check(paths) },
    ...(database === undefined ? [] : [{ name: "database", run: () => checkDatabase(database, database.roles) }]),
    { name: "audit log", run: () => checkAuditLog(audit) },
    ...Object.entries(hosts).map(([name, host]) => ({
      name: `host ${name}`,
      run: () =>
        checkHost(
          name,
          host,
          privateKey ?? "",
          healthy ? services.filter((service) => service.hosts.includes(name)) : [],
        ),
    })),
    ...services
      .filter((service) => healthy && service.hosts.length === 0)
      .map((service) => ({ name: `service ${service.name}`, run: () => checkLocalService(service) })),
    ...(mode === "rotation" && !given.allowOpenMarket && alpaca !== undefined
      ? [{ name: "market", run: () => checkMarket(alpaca, client()) }]
      : []),
    ...noticeChecks(given),
    ...currentChecks(given),
  ];
}

function noticeChecks({ notice, audit, secretName, store }: PreflightInput): Check[] {
  if (notice === undefined) return [];
  return [{ name: "team told", run: () => checkNotice(audit, secretName, store.environment, notice) }];
}

/** The credential in use is proven before it is touched. */
function currentChecks({ current, database, store, whenForeign, force }: PreflightInput): Check[] {
  if (current === undefined) return [];
  const { username, password, entries } = current;
  // Whoever wrote it may have changed the login as well. What is overwritten is said by the step right before.
  if (force) return [];
  const value = { name: "current value", run: () => checkCurrentValue(storeClient(store), entries, whenForeign) };
  if (database === undefined || username === undefined || password === undefined) return [value];
  return [{ name: "current login", run: () => checkCurrentLogin(database, { username, password }) }, value];
}

/** What the config let pass: written into the audit row. */
export function overridesOf({ mode, allowOpenMarket, current }: PreflightInput): string[] {
  return [
    ...(allowOpenMarket ? ["allowOpenMarket"] : []),
    ...(mode === "emergency" ? ["emergency: market hours not asked"] : []),
    ...(mode === "rotation" && current === undefined ? ["previous value unknown: no way back"] : []),
  ];
}

/** What became of a check: the evidence, or what was found instead. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly evidence: string;
}

/** Runs every check, all at once; none stops another. */
export function runChecks(given: PreflightInput): Promise<CheckResult[]> {
  return Promise.all(
    checksOf(given).map(async ({ name, run }) => {
      try {
        return { name, ok: true, evidence: await run() };
      } catch (error) {
        return { name, ok: false, evidence: messageOf(error) };
      }
    }),
  );
}

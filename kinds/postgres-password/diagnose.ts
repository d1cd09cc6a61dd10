import { tryLogin } from "../../clients/postgres";
import { placeName, placesOf, restartPlaces } from "../../components/places";
import { restartCommand } from "../../components/restart-command";
import { differentWords, stored, writeBack } from "../../components/stored-values";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import { utc } from "../../core/clock";
import { messageOf } from "../../core/errors";
import type { SecretState } from "../../core/state";
import { holdsEntry, keysOf } from "../../stores/entries";
import { oddWords } from "../../stores/write-entry";
import type { About, Finding, Found, StackView } from "../kind-operations";
import type { Login } from "../own-password/credentials";
import { loginsOf } from "./credentials";
import { pathFindings } from "./paths/diagnose";
import { relist } from "./paths/relist";
import { exists, restoreLogin } from "./restore-login";
import { sessionsOf, sessionWords } from "./sessions";
import { unequalLogin } from "./unequal-login";

/** Runbook, troubleshooting 1: store and database differ, or a service holds the old password. */
export async function passwordFindings(
  stack: StackView,
  secret: PostgresPasswordConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { active, previous } = loginsOf(stack, secret, state);
  if (active === undefined) return [];
  const [login, foreign] = await Promise.all([
    tryLogin(referenceOf(secret.database), active),
    foreignEntries(stack, active),
  ]);
  if (login.outcome === "unknown") {
    const cause = "the credential in use could not be tried on the database";
    return [about({ cause, evidence: login.evidence, command: stack.command("preflight") })];
  }
  const differs = foreign.join("; ");
  if (login.outcome === "refused") {
    const inUse = { stack, secret, state, active };
    const isThere = await exists(secret, active.username).catch(messageOf);
    if (isThere === false) return [about(dropped(inUse, login.evidence))];
    const unseen = isThere === true ? "" : `; whether the role exists is not known: ${isThere}`;
    return [about(refused(inUse, `${login.evidence}${unseen}`, differs))];
  }
  const findings = [
    ...(differs === "" ? [] : [about(storeDiffers({ stack, secret, state, active }, differs))]),
    ...(await pathFindings(stack, secret, active, about)),
  ];
  const old = previous === undefined || previous.username === active.username ? undefined : previous.username;
  try {
    findings.push(...(await unequalLogin(stack, secret, state, about)));
    if (old !== undefined) findings.push(...(await cached(stack, secret, about, old)));
  } catch (error) {
    const cause = "the run's own login cannot look at roles and sessions";
    findings.push(about({ cause, evidence: messageOf(error), command: stack.command("preflight") }));
  }
  return findings;
}

/** Each path that holds another value than this stack wrote, with its version; never a value. */
async function foreignEntries({ config }: StackView, { entries }: Login): Promise<string[]> {
  const found = await Promise.all(entries.map(async (entry) => ({ entry, held: await stored(config, entry.path) })));
  return found.flatMap(({ entry, held }) => {
    if (held === undefined) return [`${entry.path} is missing`];
    const odd = oddWords(held, keysOf(entry)) || differentWords(held, entry);
    return holdsEntry(held, entry)
      ? []
      : [`${entry.path} has version ${held.version}, written ${utc(held.writtenAt)}${odd}`];
  });
}

/** The credential in use, and where it belongs. */
interface InUse {
  readonly stack: StackView;
  readonly secret: PostgresPasswordConfig;
  readonly state: SecretState;
  readonly active: Login;
}

function storeDiffers({ stack, secret, state, active }: InUse, differs: string): Found {
  return {
    cause: "the store and the database differ: the store was changed by hand",
    evidence: `${differs}; the database takes the value that this stack wrote (${active.username} logs in)`,
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: "writes that value back and restarts the services",
    fix: async () => {
      await writeBack(stack.config, active.entries, state);
      return `the value is back in the store; ${await restartAll(stack.config, secret)}`;
    },
  };
}

/** The role in use is not there any more; PostgreSQL's refusal does not say so. */
function dropped(inUse: InUse, evidence: string): Found {
  const { stack, secret, active } = inUse;
  return {
    cause: `the role in use, ${active.username}, was dropped from the database`,
    evidence,
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: `creates it again with the password of this stack, equal to ${secret.role}, and restarts the services`,
    fix: () => restore(inUse, `${active.username} is there again`),
  };
}

/** The fix restores the value that this stack knows; a rotation would require healthy services first. */
function refused(inUse: InUse, evidence: string, differs: string): Found {
  const { stack, secret, active } = inUse;
  const inBoth = differs !== "";
  const keep = inBoth ? `; or keep what was written: \`${stack.command(`adopt ${secret.name}`)}\`` : "";
  return {
    cause: inBoth
      ? "the credential was changed by hand, in the database and in the store"
      : "the database refuses the credential in use: its password was changed",
    evidence: inBoth ? `${evidence}; ${differs}` : evidence,
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: `gives ${active.username} the password of this stack again and restarts the services${keep}`,
    fix: () => restore(inUse, `${active.username} has the password of this stack again`),
  };
}

/** Restores the login in use, in the database and in the store, and restarts the services. @returns what was done */
async function restore({ stack, secret, state, active }: InUse, done: string): Promise<string> {
  await restoreLogin(secret, active);
  await relist(stack.config, secret, active);
  await writeBack(stack.config, active.entries, state);
  return `${done}; ${await restartAll(stack.config, secret)}`;
}

async function cached(
  stack: StackView,
  secret: PostgresPasswordConfig,
  about: About,
  role: string,
): Promise<Finding[]> {
  const holding = await sessionsOf(secret, role, await stack.rolledOutAt(secret.name));
  if (holding.count === 0) return [];
  const places = placesOf(stack.config, secret);
  const commands = places.map(({ service, config }) => restartCommand(service, config));
  return [
    about({
      cause: "the previous credential is still in use (a service caches it for up to an hour)",
      evidence: sessionWords(holding),
      command: [...new Set(commands)].join("; "),
      hint: `one at a time, each healthy before the next: ${places.map(placeName).join(", ")}`,
      fix: () => restartAll(stack.config, secret),
    }),
  ];
}

const restartAll = (config: StackView["config"], secret: PostgresPasswordConfig): Promise<string> =>
  restartPlaces(config, placesOf(config, secret));

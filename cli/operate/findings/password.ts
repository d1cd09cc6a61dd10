import { tryLogin } from "../../../clients/postgres";
import { restartCommand } from "../../../components/restart-command";
import type { PostgresPasswordConfig } from "../../../config";
import { referenceOf } from "../../../config";
import type { SecretState } from "../../../core/state";
import { oddWords } from "../../../stores/write-entry";
import { type Login, loginsOf } from "../credentials";
import type { Stack } from "../facts";
import * as facts from "../facts";
import { rolledOutAt, sessionsOf, sessionWords } from "../sessions";
import { type About, commandOf, type Finding } from "./finding";
import { restartAll, setPassword, writeBack } from "./mend";
import { unequalLogin } from "./unequal-login";

/** Runbook, troubleshooting 1: store and database differ, or a service holds the old password. */
export async function passwordFindings(
  stack: Stack,
  secret: PostgresPasswordConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { active, previous } = loginsOf(stack.deployment, stack.config, secret, state);
  if (active === undefined) return [];
  const [login, foreign] = await Promise.all([
    tryLogin(referenceOf(secret.database), active),
    foreignEntries(stack, active),
  ]);
  if (login.outcome === "unknown") {
    const cause = "the database cannot be asked whether it takes the credential in use";
    return [about({ cause, evidence: login.evidence, command: commandOf(stack, "preflight") })];
  }
  const differs = foreign.join("; ");
  if (login.outcome === "refused")
    return [refused(stack, secret, state, about, active, { evidence: login.evidence, differs })];
  const findings = [
    ...(differs === "" ? [] : [storeDiffers(stack, secret, state, about, active, differs)]),
    ...(await unequalLogin(stack, secret, state, about)),
  ];
  const old = previous === undefined || previous.username === active.username ? undefined : previous.username;
  return old === undefined ? findings : [...findings, ...(await cached(stack, secret, about, old))];
}

/** Each path that holds another value than this stack wrote, with its version; never a value. */
async function foreignEntries({ config }: Stack, { entries }: Login): Promise<string[]> {
  const found = await Promise.all(
    entries.map(async ({ path, value }) => ({ path, value, held: await facts.stored(config, path) })),
  );
  return found.flatMap(({ path, value, held }) => {
    if (held === undefined) return [`${path} is missing`];
    return held.value === value
      ? []
      : [`${path} has version ${held.version}, written ${facts.utc(held.writtenAt)}${oddWords(held)}`];
  });
}

function storeDiffers(
  stack: Stack,
  secret: PostgresPasswordConfig,
  state: SecretState,
  about: About,
  active: Login,
  differs: string,
): Finding {
  return about({
    cause: "the store and the database differ: somebody wrote the store by hand",
    evidence: `${differs}; the database takes the value that this stack wrote (${active.username} logs in)`,
    command: commandOf(stack, `diagnose ${secret.name} --fix`),
    hint: "writes that value back and restarts the services",
    fix: async () => {
      await writeBack(stack, active.entries, state);
      return `the value is back in the store; ${await restartAll(stack, secret)}`;
    },
  });
}

/** The value that this stack knows is put back; a rotation would want healthy services first. */
function refused(
  stack: Stack,
  secret: PostgresPasswordConfig,
  state: SecretState,
  about: About,
  active: Login,
  { evidence, differs }: { readonly evidence: string; readonly differs: string },
): Finding {
  const inBoth = differs !== "";
  const keep = inBoth ? `; or keep what was written: ${commandOf(stack, `adopt ${secret.name}`)}` : "";
  return about({
    cause: inBoth
      ? "somebody changed the credential by hand, in the database and in the store"
      : "the database refuses the credential in use: somebody changed its password",
    evidence: inBoth ? `${evidence}; ${differs}` : evidence,
    command: commandOf(stack, `diagnose ${secret.name} --fix`),
    hint: `gives ${active.username} the password of this stack again and restarts the services${keep}`,
    fix: async () => {
      await setPassword(secret, active);
      await writeBack(stack, active.entries, state);
      return `${active.username} has the password of this stack again; ${await restartAll(stack, secret)}`;
    },
  });
}

async function cached(stack: Stack, secret: PostgresPasswordConfig, about: About, role: string): Promise<Finding[]> {
  const holding = await sessionsOf(secret, role, await rolledOutAt(stack.config, secret.name));
  if (holding.count === 0) return [];
  const places = facts.placesOf(stack.config, secret);
  const commands = places.map(({ service, config }) => restartCommand(service, config));
  return [
    about({
      cause: "somebody still works with the credential before (a service caches it for up to an hour)",
      evidence: sessionWords(holding),
      command: [...new Set(commands)].join("; "),
      hint: `one at a time, each healthy before the next: ${places.map(facts.placeName).join(", ")}`,
      fix: () => restartAll(stack, secret),
    }),
  ];
}

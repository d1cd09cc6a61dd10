import { placeName, placesOf, restartPlaces } from "../../components/places";
import { restartCommand } from "../../components/restart-command";
import { differentWords, stored, writeBack } from "../../components/stored-values";
import { utc } from "../../core/clock";
import { messageOf } from "../../core/errors";
import type { SecretState } from "../../core/state";
import { holdsEntry, keysOf } from "../../stores/entries";
import { oddWords } from "../../stores/write-entry";
import type { About, Finding, Found, StackView } from "../kind-operations";
import type { Login } from "../own-password/credentials";
import { passwordHash } from "./acl";
import { changePasswords } from "./change";
import { tryNode } from "./connection";
import { passwordsOf } from "./credentials";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";
import { clientWords, connections, fromBeforeNow } from "./use";

/** Store and servers differ, a server has lost the password, or a client holds the old one. */
export async function redisFindings(
  stack: StackView,
  secret: RedisPasswordConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { active } = passwordsOf(stack, secret, state);
  if (active === undefined) return [];
  const redis = redisOf(secret);
  const [answers, foreign] = await Promise.all([
    Promise.all(redis.nodes.map(async (node) => ({ node, ...(await tryNode(redis, node, active.password)) }))),
    foreignEntries(stack, active),
  ]);
  const unseen = answers.filter(({ outcome }) => outcome === "unknown");
  const lost = answers.filter(({ outcome }) => outcome === "refused");
  const inUse = { stack, secret, state, active };
  return [
    ...unseen.map(({ node, evidence }) =>
      about({
        cause: `the password in use could not be tried at ${node}`,
        evidence,
        command: stack.command("preflight"),
      }),
    ),
    ...(lost.length > 0 ? [about(lostPassword(inUse, lost))] : []),
    ...(foreign === "" ? [] : [about(storeDiffers(inUse, foreign))]),
    ...(unseen.length > 0 ? [] : await oldConnections(inUse, about)),
  ];
}

/** The password in use, and where it belongs. */
interface InUse {
  readonly stack: StackView;
  readonly secret: RedisPasswordConfig;
  readonly state: SecretState;
  readonly active: Login;
}

/** Each path that holds another value than this stack wrote, with its version; never a value. */
async function foreignEntries({ config }: StackView, { entries }: Login): Promise<string> {
  const found = await Promise.all(entries.map(async (entry) => ({ entry, held: await stored(config, entry.path) })));
  return found
    .flatMap(({ entry, held }) => {
      if (held === undefined) return [`${entry.path} is missing`];
      const odd = oddWords(held, keysOf(entry)) || differentWords(held, entry);
      return holdsEntry(held, entry)
        ? []
        : [`${entry.path} has version ${held.version}, written ${utc(held.writtenAt)}${odd}`];
    })
    .join("; ");
}

/** A server that began anew without a saved ACL, a replica that was added, or a change by hand. */
function lostPassword({ stack, secret, active }: InUse, lost: readonly { node: string; evidence: string }[]): Found {
  const nodes = lost.map(({ node }) => node).join(", ");
  return {
    cause: `${nodes} does not take the password in use: its ACL was lost in a restart, or changed by hand`,
    evidence: lost.map(({ evidence }) => evidence).join("; "),
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: `gives ${secret.user} the password of this stack again; every other password and rule stays`,
    fix: async () => {
      const { changed } = await changePasswords(redisOf(secret), { add: [passwordHash(active.password)], remove: [] });
      return `${secret.user} has the password of this stack again at ${changed.join(", ")}`;
    },
  };
}

function storeDiffers({ stack, secret, state, active }: InUse, differs: string): Found {
  return {
    cause: "the store holds another password than the one in use: it was changed by hand",
    evidence: differs,
    command: stack.command(`diagnose ${secret.name} --fix`),
    hint: `writes that value back and restarts the services; or keep what was written: \`${stack.command(`adopt ${secret.name}`)}\``,
    fix: async () => {
      await writeBack(stack.config, active.entries, state);
      return `the value is back in the store; ${await restartAll(stack.config, secret)}`;
    },
  };
}

/** A connection stays logged in whatever becomes of its password: its next login would fail. */
async function oldConnections({ stack, secret, state }: InUse, about: About): Promise<Finding[]> {
  try {
    const old = fromBeforeNow(await connections(redisOf(secret)), state, stack);
    if (old.length === 0) return [];
    const places = placesOf(stack.config, secret);
    const commands = places.map(({ service, config }) => restartCommand(service, config));
    return [
      about({
        cause: "a client keeps a connection from before the last rotation: it may hold the old password",
        evidence: clientWords(old),
        command: [...new Set(commands)].join("; "),
        hint: `one at a time, each healthy before the next: ${places.map(placeName).join(", ")}`,
        fix: () => restartAll(stack.config, secret),
      }),
    ];
  } catch (error) {
    const cause = "the run's own login cannot look at connections";
    return [about({ cause, evidence: messageOf(error), command: stack.command("preflight") })];
  }
}

const restartAll = (config: StackView["config"], secret: RedisPasswordConfig): Promise<string> =>
  restartPlaces(config, placesOf(config, secret));

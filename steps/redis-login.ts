import * as z from "zod";
import { StepError } from "../core/errors";
import { secret } from "../core/secret-fields";
import { tryEverywhere } from "../kinds/redis-password/connection";
import { leftConnections, otherPasswords, rehearsed } from "../kinds/redis-password/login";
import { redisReference } from "../kinds/redis-password/reference";
import { redisRehearsal } from "../kinds/redis-password/rehearsal-input";
import { lastAnswer, runStep } from "./run-step";

const input = z.object({
  redis: redisReference,
  password: secret(z.string()),
  /** The other passwords of this stack, for the proof before the store is written. */
  known: z.array(z.object({ password: secret(z.string()) })).optional(),
  /** From where services will log in, if that is rehearsed; the first of `known` is the password in use. */
  rehearsal: redisRehearsal.optional(),
  /** A connection of each server from before the store was written, for the proof after the restarts. */
  before: z.record(z.string(), z.number()).optional(),
});

/**
 * Logs in at every server. Before the store is written it notes which connections come after it, and names the passwords
 * that are not this stack's; after the restarts it names the clients that keep a connection from before.
 */
await runStep(input, async ({ redis, password, known, rehearsal, before }, _, again) => {
  const { outcome, evidence } = await tryEverywhere(redis, password);
  if (outcome !== "works") throw new StepError(evidence);
  const about = { loggedInAs: redis.user, nodes: redis.nodes };
  // A run for a change of the config belongs to no rotation: connections from before it say nothing.
  if (again) return { ...lastAnswer(), ...about };
  const seen = rehearsal && (await rehearsed(redis, rehearsal, password, known?.[0]?.password));
  const found =
    known === undefined ? undefined : await otherPasswords(redis, [password, ...known.map((one) => one.password)]);
  const warning = found === undefined ? await leftConnections(redis, before ?? {}) : found.warning;
  const warnings = [...(warning === undefined ? [] : [warning]), ...(seen?.warnings ?? [])];
  for (const text of warnings) process.stderr.write(`warning: ${text}\n`);
  return {
    ...about,
    ...(found === undefined ? {} : { before: found.connections }),
    ...(seen === undefined ? {} : { rehearsal: seen.rows }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
});

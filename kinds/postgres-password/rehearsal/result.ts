import { StepError } from "../../../core/errors";
import { type RehearsalRow, rowWords } from "../../../core/rehearsal";
import type { Rehearsal } from "./input";
import { rehearse } from "./rehearse";

/** In one message. */
const NAMED = 12;

/** What the step answers. */
export interface Rehearsed {
  readonly rehearsal: readonly RehearsalRow[];
  readonly warnings?: readonly string[];
}

/**
 * Rehearses the new login. @throws StepError that names each reader and path that differs, unless waiting is worse: then each
 * is a warning, as what could not be tried is.
 */
export async function rehearsed(given: Rehearsal): Promise<Rehearsed> {
  const rehearsal = await rehearse(given);
  const differ = rehearsal.filter(({ verdict }) => verdict === "differs").map(rowWords);
  const unseen = rehearsal.filter(({ verdict }) => verdict === "unseen").map(rowWords);
  if (differ.length > 0 && given.strict) {
    const rest = differ.length > NAMED ? [`and ${differ.length - NAMED} more`] : [];
    throw new StepError(
      `the rehearsal of ${given.login.username} found what services would find, before anything changed for one: ` +
        `${[...differ.slice(0, NAMED), ...rest].join("; ")}. Store and services are as they were: fix it and run this again ` +
        "(docs/rehearsal.md)",
    );
  }
  const warnings = [...differ.map((text) => `rehearsal: ${text}`), ...unseen.map((text) => `not rehearsed: ${text}`)];
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return { rehearsal, ...(warnings.length === 0 ? {} : { warnings }) };
}

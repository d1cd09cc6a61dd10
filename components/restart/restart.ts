import { poll } from "../../clients/poll";
import { askHealth } from "../../clients/probe";
import { type RunScript, runLimited, shellHere } from "../../clients/shell";
import { UnreachableError } from "../../clients/ssh";
import { StepError } from "../../core/errors";
import { type HealthProbe, illnessOf, type Verdict } from "../../core/health";

/** How many times in a row a service must be healthy: one that flaps is not. */
const IN_A_ROW = 3;

/** One restart or reload, at one place. */
export interface Restart {
  readonly service: string;
  /** The host's name, or `this machine`. */
  readonly place: string;
  /** Run by `sh -c`. With `request` it is only what does the same by hand. */
  readonly command: string;
  /** Whether the running process stays and reads its credential again. Default: it is restarted. */
  readonly reload?: boolean | undefined;
  /** Made instead of the command: a request over http, from the place itself or from the machine that runs Pulumi. */
  readonly request?: { readonly probe: HealthProbe; readonly from: "host" | "runner" } | undefined;
  readonly probe: HealthProbe;
  /** What the field that the probe shows must be afterwards: this value, or another than before. */
  readonly proof?: { readonly field: string; readonly equals?: string | undefined } | undefined;
  /** Milliseconds, for the restart and then again until it is healthy. */
  readonly timeout: number;
}

/** The advice after a failure, for the message. */
export const NEXT = "Fix it (see its log) and run this again, which continues here; or roll back.";

/**
 * Restarts or reloads a service where it runs and waits until it is healthy, three times in a row. After a restart
 * `started_at` of the answer must have changed, if there is one: otherwise the old process, with the old credential, is
 * still running. With `proof` the named field must show the new credential.
 *
 * @returns `NAME on PLACE is healthy`, and what its health answer shows
 * @throws StepError with the service's last answer, and what was expected
 */
export async function restartAndWait(restart: Restart, run: RunScript): Promise<string> {
  const what = placeOf(restart);
  const before = await ask(restart, run, 5);
  await carryOut(what, restart, run);
  const { shown } = await becomeHealthy(what, restart, before, run);
  return `${what} is healthy${shown === undefined ? "" : `, \`${restart.proof?.field}\` is ${shown}`}`;
}

export const placeOf = ({ service, place }: Pick<Restart, "service" | "place">) => `${service} on ${place}`;

const doneTo = ({ reload }: Restart) => (reload === true ? "reloaded" : "restarted");

const ask = async ({ probe }: Pick<Restart, "probe">, run: RunScript, seconds: number): Promise<Verdict> =>
  (await askHealth([probe], run, seconds))[0] as Verdict;

async function carryOut(what: string, restart: Restart, run: RunScript): Promise<void> {
  const { command, request, timeout } = restart;
  const seconds = Math.ceil(timeout / 1000);
  if (request !== undefined) {
    const from = request.from === "host" ? run : shellHere();
    const { healthy, answer, why } = await ask(request, from, seconds);
    if (healthy) return;
    throw new StepError(`${what} did not take the reload request: its answer: ${answer}; ${why}. ${NEXT}`);
  }
  const { status, output } = await runLimited(run, command, seconds);
  if (status === 0) return;
  const said = output.trim() === "" ? "" : `; it said: ${output.trim().slice(-600)}`;
  if (status === null) throw new StepError(`${what} was not ${doneTo(restart)} within ${seconds} s${said}. ${NEXT}`);
  throw new StepError(`${what} could not be ${doneTo(restart)} (exit status ${status})${said}. ${NEXT}`);
}

async function becomeHealthy(what: string, restart: Restart, before: Verdict, run: RunScript): Promise<Verdict> {
  const seconds = Math.ceil(restart.timeout / 1000);
  const end = performance.now() + seconds * 1000;
  let [row, seen] = [0, false];
  const verdict = await poll(
    async () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      const answer = await ask(restart, run, Math.max(1, Math.min(10, left))).catch(unreachable);
      row = answer.healthy && staleness(restart, before, answer) === undefined ? row + 1 : 0;
      seen ||= answer.healthy === true;
      return answer;
    },
    // A service that is healthy at the end gets the time to show that it stays so.
    () => row >= IN_A_ROW || (row === 0 && performance.now() >= end),
    { every: (_, asked) => (row > 0 ? PAUSE : Math.min(PAUSE * 1.5 ** asked, LONGEST_PAUSE)) },
  );
  if (row >= IN_A_ROW) return verdict;
  const stale = staleness(restart, before, verdict);
  throw stale === undefined || !verdict.healthy
    ? notHealthy(what, restart, verdict, seen)
    : new StepError(`${what} ${stale}`);
}

/** A broken connection says nothing about the service: the query is repeated over another. */
export function unreachable(error: unknown): Verdict {
  if (!(error instanceof UnreachableError)) throw error;
  return { healthy: false, why: "expected an answer, found none", answer: error.message };
}

/** Milliseconds between two queries; longer and longer while it is not healthy. */
const PAUSE = 150;
const LONGEST_PAUSE = 1000;

/** What shows that the service still has the old credential; undefined if nothing does. */
function staleness(restart: Restart, before: Verdict, { startedAt, shown }: Verdict): string | undefined {
  const { service, reload, proof } = restart;
  if (reload !== true && before.startedAt !== undefined && startedAt === before.startedAt) {
    return (
      `still runs as the process that was started at ${startedAt}: the restart command restarted nothing, ` +
      `and it may hold the old credential. Correct its restart command in the config (services.${service}.restart) and ` +
      "run this again."
    );
  }
  if (proof === undefined) return undefined;
  const { field, equals } = proof;
  const [key, done] = [`services.${service}.proof`, doneTo(restart)];
  if (shown === undefined) {
    return `was ${done}, but its health answer has no field \`${field}\`, which ${key} names. Correct that and run this again.`;
  }
  if (equals === undefined ? shown !== before.shown : shown === equals) return undefined;
  const found = equals === undefined ? `still ${shown}` : `${shown}, expected ${equals}`;
  return (
    `was ${done}, but \`${field}\` of its health answer is ${found}: it does not use the new credential (${key}). ` +
    "Find out why it did not read it (see its log) and run this again, which continues here; or roll back."
  );
}

function notHealthy(what: string, restart: Restart, verdict: Verdict, seen: boolean): StepError {
  const flaps = seen ? `It was healthy in between, never ${IN_A_ROW} times in a row. ` : "";
  return new StepError(
    `${what} was ${doneTo(restart)} but is not healthy after ${Math.ceil(restart.timeout / 1000)} s; its last answer: ` +
      `${illnessOf(restart.service, verdict)}. ${flaps}${NEXT}`,
  );
}

/** What bakes. */
type Baked = Pick<Restart, "service" | "place" | "probe">;

/** Seconds between two queries of a canary. */
const BAKE_PAUSE = 1;

/**
 * Watches a service that was restarted: it must stay healthy, as the same process, for so long. One answer that is not
 * healthy may be a hiccup; two in a row are none.
 *
 * @param bake milliseconds
 * @throws StepError with the service's answer
 */
export async function bakes(baked: Baked, bake: number, run: RunScript): Promise<string> {
  const what = placeOf(baked);
  const seconds = Math.ceil(bake / 1000);
  const { startedAt: first } = await ask(baked, run, 10).catch(unreachable);
  let ill = 0;
  const isOther = ({ startedAt }: Verdict) => first !== undefined && startedAt !== undefined && startedAt !== first;
  const verdict = await poll(
    async () => {
      const answer = await ask(baked, run, 10).catch(unreachable);
      ill = answer.healthy ? 0 : ill + 1;
      return answer;
    },
    (answer) => ill > 1 || isOther(answer),
    // The last query is sent when time is up; one that is not healthy then is repeated.
    { limit: bake, every: BAKE_PAUSE * 1000 },
  );
  const last = ill === 1 ? await ask(baked, run, 10).catch(unreachable) : verdict;
  if (isOther(last)) {
    throw new StepError(
      `${what}, a canary, was started again by itself at ${last.startedAt} while it was watched for ${seconds} s. ${NEXT}`,
    );
  }
  if (!last.healthy) {
    throw new StepError(
      `${what}, a canary, did not stay healthy for ${seconds} s; its last answer: ${illnessOf(baked.service, last)}. ${NEXT}`,
    );
  }
  return `stayed healthy for ${seconds} s`;
}

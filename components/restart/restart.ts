import { poll } from "../../clients/poll";
import { askHealth } from "../../clients/probe";
import { type RunScript, runLimited } from "../../clients/shell";
import { UnreachableError } from "../../clients/ssh";
import { StepError } from "../../core/errors";
import { type HealthProbe, illnessOf, type Verdict } from "../../core/health";

/** How many times in a row a service must be healthy: one that flaps is not. */
const IN_A_ROW = 3;

/** One restart, at one place. */
export interface Restart {
  readonly service: string;
  /** The host's name, or `this machine`. */
  readonly place: string;
  /** Run by `sh -c`. */
  readonly command: string;
  readonly probe: HealthProbe;
  /** Milliseconds, for the restart and then again until it is healthy. */
  readonly timeout: number;
}

/** The advice after a failure, for the message. */
const NEXT = "Fix it (see its log) and run this again, which continues here; or roll back.";

/**
 * Restarts a service where it runs and waits until it is healthy, three times in a row. If a service's answer has
 * `started_at`, it must have changed: otherwise the old process, with the old credential, is still running.
 *
 * @returns `NAME on PLACE is healthy`
 * @throws StepError with the service's last answer, and what was expected
 */
export async function restartAndWait(restart: Restart, run: RunScript): Promise<string> {
  const what = `${restart.service} on ${restart.place}`;
  const { startedAt: before } = await ask(restart, run, 5);
  await carryOut(what, restart, run);
  await becomeHealthy(what, restart, before, run);
  return `${what} is healthy`;
}

const ask = async ({ probe }: Restart, run: RunScript, seconds: number): Promise<Verdict> =>
  (await askHealth([probe], run, seconds))[0] as Verdict;

async function carryOut(what: string, { command, timeout }: Restart, run: RunScript): Promise<void> {
  const seconds = Math.ceil(timeout / 1000);
  const { status, output } = await runLimited(run, command, seconds);
  if (status === 0) return;
  const said = output.trim() === "" ? "" : `; it said: ${output.trim().slice(-600)}`;
  if (status === null) throw new StepError(`${what} was not restarted within ${seconds} s${said}. ${NEXT}`);
  throw new StepError(`${what} could not be restarted (exit status ${status})${said}. ${NEXT}`);
}

async function becomeHealthy(what: string, restart: Restart, before: string | undefined, run: RunScript) {
  const seconds = Math.ceil(restart.timeout / 1000);
  const end = performance.now() + seconds * 1000;
  let [row, seen] = [0, false];
  const isOld = ({ startedAt }: Verdict) => before !== undefined && startedAt === before;
  const verdict = await poll(
    async () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      const answer = await ask(restart, run, Math.max(1, Math.min(10, left))).catch(unreachable);
      row = answer.healthy && !isOld(answer) ? row + 1 : 0;
      seen ||= answer.healthy === true;
      return answer;
    },
    // A service that is healthy at the end gets the time to show that it stays so.
    () => row >= IN_A_ROW || (row === 0 && performance.now() >= end),
    { every: (_, asked) => (row > 0 ? PAUSE : Math.min(PAUSE * 1.5 ** asked, LONGEST_PAUSE)) },
  );
  if (row < IN_A_ROW) throw notHealthy(what, restart, verdict, isOld(verdict), seen);
}

/** A broken connection says nothing about the service: the query is repeated over another. */
function unreachable(error: unknown): Verdict {
  if (!(error instanceof UnreachableError)) throw error;
  return { healthy: false, why: "expected an answer, found none", answer: error.message };
}

/** Milliseconds between two queries; longer and longer while it is not healthy. */
const PAUSE = 150;
const LONGEST_PAUSE = 1000;

function notHealthy(
  what: string,
  { service, timeout }: Restart,
  verdict: Verdict,
  isOld: boolean,
  seen: boolean,
): StepError {
  if (isOld) {
    return new StepError(
      `${what} still runs as the process that was started at ${verdict.startedAt}: the restart command restarted nothing, ` +
        `and it may hold the old credential. Correct its restart command in the config (services.${service}.restart) and ` +
        "run this again.",
    );
  }
  const flaps = seen ? `It was healthy in between, never ${IN_A_ROW} times in a row. ` : "";
  return new StepError(
    `${what} was restarted but is not healthy after ${Math.ceil(timeout / 1000)} s; its last answer: ` +
      `${illnessOf(service, verdict)}. ${flaps}${NEXT}`,
  );
}

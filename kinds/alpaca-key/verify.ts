import { type Account, type Answer, askAccount, type Credentials } from "../../clients/alpaca";
import type { AskOptions } from "../../clients/ask";
import { poll } from "../../clients/poll";
import { lastFour } from "../../core/key-label";
import type { Purpose } from "../issuer/verify-key";
import type { AlpacaPlaces } from "./places";

/** A key pair with the label it has on the dashboard. */
export interface Pair extends Credentials {
  readonly label: string;
}

/** A pair was refused. The message says what was expected, what was found and what to do. */
export class PairRefusedError extends Error {
  override readonly name = "PairRefusedError";
}

export interface VerifyArgs {
  readonly places: AlpacaPlaces;
  readonly purpose: Purpose;
  readonly pair: Pair;
  /** The pair in use, whose account the new one must have. */
  readonly before?: Pair | undefined;
  /** The account number that the pair must have; then `before` is not queried. */
  readonly account?: string | undefined;
  /** For a rotation: milliseconds that the pair may keep answering 401. */
  readonly activationWait?: number | undefined;
  /** Called once when the wait for a pair that is not active yet begins. */
  readonly onWait?: (message: string) => void;
  readonly ask?: AskOptions;
}

export interface Verified {
  readonly account: Account;
  /** Seconds until the pair was active; 0 if it was active at once. */
  readonly waited: number;
}

const NOTHING = "The pair was not written, and no service was restarted for it.";
const EVERY = 1000;

/** How a pair is named in messages: by its label and the end of its key id. */
export const pairName = ({ label, keyId }: Pair) => `${label} (key id ${lastFour(keyId)})`;

/**
 * Proves a pair by what Alpaca answers on the environment's own host: 200, an active account, and the same account as
 * the pair in use.
 *
 * @throws PairRefusedError
 * @throws AlpacaUnavailableError
 */
export async function verifyPair(args: VerifyArgs): Promise<Verified> {
  const { places, pair } = args;
  const { answer, waited } = await askUntilActive(args);
  if (answer.account === undefined) throw new PairRefusedError(`${await whyRefused(args, answer.status)} ${NOTHING}`);
  const { account } = answer;
  if (account.status !== "ACTIVE") {
    throw new PairRefusedError(
      `expected the account of ${pairName(pair)} to be ACTIVE, found ${account.status} (account ${account.number}). ` +
        `Only Alpaca's support can change that: ${places.dashboard}. ${NOTHING}`,
    );
  }
  await assertSameAccount(args, account);
  return { account, waited };
}

/** A new key answers 401 for some seconds (runbook, troubleshooting 2): tried again, unless the reason is known. */
async function askUntilActive(args: VerifyArgs): Promise<{ answer: Answer; waited: number }> {
  const { places, pair, purpose, activationWait = 0, onWait } = args;
  const begin = Date.now();
  const first = await askAccount(places.baseUrl, pair, args.ask);
  if (first.status !== 401 || purpose !== "rotation" || activationWait === 0) return { answer: first, waited: 0 };
  if ((await mistake(args)) !== undefined) return { answer: first, waited: 0 };
  onWait?.(
    `${pairName(pair)} answers 401: waiting up to ${Math.ceil(activationWait / 1000)} s for Alpaca to activate it`,
  );
  const limit = begin + activationWait - Date.now();
  const ask = (number: number) => (number === 1 ? first : askAccount(places.baseUrl, pair, args.ask));
  const answer = await poll(ask, ({ status }) => status !== 401, { limit, every: EVERY });
  return { answer, waited: Math.round((Date.now() - begin) / 1000) };
}

async function whyRefused(args: VerifyArgs, status: 401 | 403): Promise<string> {
  const { places, pair, purpose, activationWait = 0 } = args;
  if (status === 403) {
    return (
      `expected ${places.baseUrl} to answer 200 to ${pairName(pair)}, found 403 Forbidden: Alpaca knows the key and ` +
      `denies it. Check the account and the key's permissions on ${places.dashboard}.`
    );
  }
  if (purpose === "rollback") return rollbackRefused(places, pair);
  const known = await mistake(args);
  if (known !== undefined) return known;
  const seconds = purpose === "rotation" ? Math.ceil(activationWait / 1000) : 0;
  return (
    `expected ${places.baseUrl} to answer 200 to ${pairName(pair)}, found 401 Unauthorized` +
    `${seconds > 0 ? ` still after ${seconds} s` : ""}. Check ${places.dashboard} → API Keys: if the key is not marked ` +
    "Active, wait and run this again (config key alpaca.activationWait); if it is, the pair was copied wrongly: copy it " +
    "again, or generate a new key, and supply it with `rotation alpaca add-key`."
  );
}

/** Why a rollback to a pair that answers 401 is impossible, and what helps instead (runbook, troubleshooting 3). */
export function rollbackRefused(places: AlpacaPlaces, pair: Pair): string {
  return (
    `the rollback to ${pairName(pair)} is refused: expected ${places.baseUrl} to answer 200 to it, found 401 ` +
    "Unauthorized. The key was deleted, and Alpaca cannot restore one. What helps: remove the request (`pulumi config rm " +
    "request`); if the pair in use still answers, restart the services that read it, which empties their caches " +
    `(\`systemctl restart\`); if it does not, generate a new key at ${places.dashboard} and supply it with \`rotation ` +
    "alpaca add-key`."
  );
}

/** What is wrong with a refused pair, if Alpaca's other answers show it. */
async function mistake({ places, pair, ask }: VerifyArgs): Promise<string | undefined> {
  const { baseUrl, otherUrl, environment, dashboard } = places;
  const answers = async (url: string, credentials: Credentials) => {
    try {
      return (await askAccount(url, credentials, { limit: 5000, timeout: 5000, ...ask })).status === 200;
    } catch {
      return false;
    }
  };
  if (await answers(baseUrl, { keyId: pair.secretKey, secretKey: pair.keyId })) {
    return (
      `the key id and the secret key of ${pair.label} are swapped: Alpaca answers 200 to them the other way round. ` +
      "Supply them again with `rotation alpaca add-key`."
    );
  }
  if (otherUrl !== undefined && (await answers(otherUrl, pair))) {
    const other = environment === "live" ? "paper" : "live";
    return (
      `expected a ${environment} key, found a ${other} one: ${otherUrl} answers 200 to ${pairName(pair)}, ${baseUrl} ` +
      `answers 401. Generate a key on the ${environment} dashboard, ${dashboard}, and supply it with \`rotation alpaca add-key\`.`
    );
  }
  return undefined;
}

async function assertSameAccount(args: VerifyArgs, found: Account): Promise<void> {
  const { places, purpose, pair, before } = args;
  if (purpose === "repair") return;
  let expected = args.account;
  let of = "the config key `account`";
  if (expected === undefined && before !== undefined) {
    of = `the pair in use, ${pairName(before)}`;
    const answer = await askBefore(args, before);
    if (answer === undefined) return;
    if (answer.account === undefined) {
      throw new PairRefusedError(
        `the pair in use, ${pairName(before)}, answers ${answer.status} as well, so it is unknown whether ${pairName(pair)} ` +
          `belongs to the same account (it belongs to ${found.number}). If that is the account to trade with, say so: set ` +
          `\`account: ${found.number}\` for this secret in the stack config. ${NOTHING}`,
      );
    }
    expected = answer.account.number;
  }
  if (expected === undefined || expected === found.number) return;
  throw new PairRefusedError(
    `expected ${pairName(pair)} to belong to account ${expected}, that of ${of}, found account ${found.number}. Generate a ` +
      `key for the right account at ${places.dashboard} and supply it with \`rotation alpaca add-key\`. ${NOTHING}`,
  );
}

/** In a rollback the pair that is left may be broken: then it proves nothing, and must not block the rollback. */
async function askBefore({ places, purpose, ask }: VerifyArgs, before: Pair): Promise<Answer | undefined> {
  if (purpose !== "rollback") return askAccount(places.baseUrl, before, ask);
  const answer = await askAccount(places.baseUrl, before, { limit: 5000, ...ask }).catch(() => undefined);
  return answer?.account === undefined ? undefined : answer;
}

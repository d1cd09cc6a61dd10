import { poll } from "../../clients/poll";
import { StepError } from "../../core/errors";
import type { Issuer, Patience, Values, Verdict } from "./issuer";

/** A key with its label. */
export interface LabelledKey {
  readonly label: string;
  readonly values: Values;
}

/**
 * The purpose of a proof: `adoption` adopts the key in use, `rotation` introduces a new one, `rollback` returns to the
 * previous one, `repair` proves the key in use after the previous one was deleted too early.
 */
export type Purpose = "adoption" | "rotation" | "rollback" | "repair";

export interface VerifyKeyArgs {
  readonly issuer: Pick<Issuer, "verify">;
  /** The secret's name, for the config key of its `account`. */
  readonly secret: string;
  readonly purpose: Purpose;
  readonly key: LabelledKey;
  /** The key in use, whose identity the new one must have. */
  readonly before?: LabelledKey | undefined;
  /** The identity that the key must have; then `before` is not asked about. */
  readonly account?: string | undefined;
  /** For a rotation: milliseconds that the key may keep being refused. */
  readonly activationWait?: number | undefined;
  /** The command that supplies another key; undefined if the issuer makes it. */
  readonly supply?: string | undefined;
  /** Called once when the wait for a key that is not active yet begins. */
  readonly onWait?: (message: string) => void;
}

export interface VerifiedKey {
  /** Undefined if the issuer does not say it. */
  readonly identity: string | undefined;
  /** Seconds until the key was accepted; 0 if it was at once. */
  readonly waited: number;
}

const NOTHING = "The key was not written, and no service was restarted for it.";
const EVERY = 1000;

/** Short: in a rollback the key that is left may be broken, and must not delay it. */
const BRIEFLY: Patience = { limit: 5000 };

/**
 * Proves a key by what its issuer says: that it works, and that it belongs to whom the key in use belongs.
 *
 * @throws StepError
 */
export async function verifyKey(args: VerifyKeyArgs): Promise<VerifiedKey> {
  const { verdict, waited } = await askUntilActive(args);
  if (verdict.answer !== "works") throw new StepError(`${whyNot(args, verdict)} ${NOTHING}`);
  await assertSameIdentity(args, verdict.identity);
  return { identity: verdict.identity, waited };
}

/** A new key may be refused for some seconds. */
async function askUntilActive(args: VerifyKeyArgs): Promise<{ verdict: Verdict; waited: number }> {
  const { issuer, key, purpose, activationWait = 0, onWait } = args;
  const begin = Date.now();
  const first = await issuer.verify(key.values);
  if (first.answer !== "refused" || purpose !== "rotation" || activationWait === 0)
    return { verdict: first, waited: 0 };
  onWait?.(`${key.label}: ${first.evidence}; waiting up to ${seconds(activationWait)} for the issuer to activate it`);
  const limit = begin + activationWait - Date.now();
  const ask = (number: number) => (number === 1 ? first : issuer.verify(key.values));
  const verdict = await poll(ask, ({ answer }) => answer !== "refused", { limit, every: EVERY });
  return { verdict, waited: Math.round((Date.now() - begin) / 1000) };
}

const seconds = (milliseconds: number) => `${Math.ceil(milliseconds / 1000)} s`;

function whyNot(args: VerifyKeyArgs, verdict: Verdict): string {
  const { key, purpose, activationWait = 0, supply } = args;
  const { evidence } = verdict;
  if (verdict.answer === "unknown") {
    const end = verdict.answered
      ? "That is neither `verify.expect` nor `verify.revoked` in the config: check the request, and the key's permissions."
      : "Try again later.";
    return `expected the issuer to accept ${key.label}, found that ${evidence}. ${end}`;
  }
  if (purpose === "rollback") return keyRollbackRefused(key.label, evidence, anotherKey(args));
  const still = purpose === "rotation" && activationWait > 0 ? ` still after ${seconds(activationWait)}` : "";
  if (supply === undefined)
    return `expected the issuer to accept ${key.label}, which it has made, found that ${evidence}${still}. The next update tries it again (config key \`wait\`, or \`verify.activationWait\`).`;
  return (
    `expected the issuer to accept ${key.label}, found that ${evidence}${still}. If the issuer's own pages show the key as ` +
    "active, it was copied wrongly, or it needs longer (config key verify.activationWait): copy it again, or make a new one, " +
    `and supply it with \`${supply}\`.`
  );
}

/** How another key is had, as a clause. */
const anotherKey = ({ secret, supply }: Pick<VerifyKeyArgs, "secret" | "supply">): string =>
  supply === undefined ? `\`rotation rotate-now ${secret}\` issues a new one` : suppliedBy(supply);

/** The clause for a key that the operator supplies. */
const suppliedBy = (supply: string) => `make a new key and supply it with \`${supply}\``;

/** Why a rollback to a supplied key that is refused is impossible, and what helps instead. */
export const suppliedRollbackRefused = (label: string, evidence: string, supply: string): string =>
  keyRollbackRefused(label, evidence, suppliedBy(supply));

const keyRollbackRefused = (label: string, evidence: string, another: string): string =>
  `the rollback to ${label} is refused: expected the issuer to accept it, found that ${evidence}. It has ended, and most ` +
  "issuers cannot restore a key. What helps: remove the request (`pulumi config rm request`); if the key in use still works, " +
  "restart the services that read it, which empties their caches (`systemctl restart`); if it does not, " +
  `${another}.`;

async function assertSameIdentity(args: VerifyKeyArgs, found: string | undefined): Promise<void> {
  const { purpose, key, before, secret, supply } = args;
  // An issuer that says nothing has nothing to compare.
  if (purpose === "repair" || found === undefined) return;
  let expected = args.account;
  let of = "the config key `account`";
  if (expected === undefined && before !== undefined) {
    of = `the key in use, ${before.label}`;
    const verdict = await args.issuer.verify(before.values, purpose === "rollback" ? BRIEFLY : undefined);
    if (verdict.answer !== "works" && purpose === "rollback") return;
    if (verdict.answer !== "works") {
      throw new StepError(
        `the key in use, ${before.label}, does not work either (${verdict.evidence}), so it is unknown whether ${key.label} ` +
          `belongs to the same account (it belongs to ${found}). If that is right, say so: set \`account: ${found}\` for ` +
          `${secret} in the stack config. ${NOTHING}`,
      );
    }
    expected = verdict.identity;
  }
  if (expected === undefined || expected === found) return;
  throw new StepError(
    `expected ${key.label} to belong to ${expected}, as ${of} does, found ${found}. ${
      supply === undefined
        ? `If ${found} is right, set \`account: ${found}\` for ${secret} in the stack config; if not, correct what makes keys in the config, ` +
          `then \`rotation rollback ${secret}\`, and rotate again`
        : `Make a key for the right account and supply it with \`${supply}\``
    }. ${NOTHING}`,
  );
}

import { poll } from "../../../clients/poll";
import type { AnswerOf, Values } from "../../../kinds/custom/protocol";
import { type Called, Calls, type KindFolder } from "./calls";
import { type PromiseId, type PromiseSeen, Promises } from "./promises";

/** What a test of a kind's commands found. */
export interface KindTest {
  readonly folder: string;
  readonly ok: boolean;
  readonly promises: readonly PromiseSeen[];
  /** The ids of credentials that may still be at the issuer. */
  readonly left: readonly string[];
}

/** A credential that the test has made. */
interface Made {
  readonly generation: number;
  readonly values: Values;
}

/** A command broke a promise that all that follows needs. */
class CannotGoOn extends Error {}

const ACTIONS = ["issue", "verify", "revoke"] as const;

/**
 * Takes credentials through a life: issued, issued again, repeated, the network lost, revoked. It says of each promise
 * whether the commands keep it, and ends every credential that it has made.
 *
 * @param run what the ids of this test begin with; never the same twice
 * @throws CommandError if a variable is missing
 */
export async function testKind(kind: KindFolder, run: string, signal: AbortSignal): Promise<KindTest> {
  const life = new Life(kind, run, signal);
  const failure = await life.live().then(
    () => undefined,
    (error: unknown) => error,
  );
  // What was made must end, also if the test was interrupted.
  const left = await life.cleanUp();
  if (failure !== undefined && !(failure instanceof CannotGoOn)) throw failure;
  const promises = life.judged();
  const ok = left.length === 0 && !signal.aborted && promises.every(({ verdict }) => verdict !== "broken");
  return { folder: kind.directory, ok, promises, left };
}

class Life {
  readonly #promises = new Promises();
  readonly #calls: Calls;
  readonly #made: Made[] = [];
  /** Generations that an `issue` may have made a credential for that it did not return. */
  readonly #lost = new Set<number>();
  readonly #identities = new Set<string>();

  constructor(
    readonly kind: KindFolder,
    run: string,
    readonly signal: AbortSignal,
  ) {
    this.#calls = new Calls(kind, run, this.#promises);
  }

  async live(): Promise<void> {
    await Promise.all(ACTIONS.map((action) => this.#calls.withoutRequest(action)));
    await Promise.all(ACTIONS.map((action) => this.#calls.terminated(action)));
    const first = await this.#issued(1, "works");
    const second = await this.#issued(2, "works");
    const overlaps = await this.#stillWorks(first, "overlap", "after the second was issued, the first");
    const current = await this.#repeated(second);
    const third = await this.#issued(3, "works");
    await this.#unreached(first, current);
    await this.#revoked(current, overlaps ? [first, third] : [third]);
    this.#judgeIdentities();
  }

  judged(): readonly PromiseSeen[] {
    this.#calls.judge();
    return this.#promises.seen;
  }

  async #issue(generation: number, more = {}): Promise<Called<"issue">> {
    if (this.signal.aborted) throw new CannotGoOn();
    const called = await this.#calls.issue(generation, more);
    const { values } = ("answer" in called ? called.answer : called.printed) ?? {};
    if (values === undefined) this.#lost.add(generation);
    else this.#made.push({ generation, values });
    return trusted(called);
  }

  async #revoke({ values, generation }: Made, more = {}): Promise<Called<"revoke">> {
    return trusted(await this.#calls.revoke(values, generation, more));
  }

  /** A new credential that works. */
  async #issued(generation: number, promise: PromiseId): Promise<Made> {
    const called = await this.#issue(generation);
    if ("failed" in called) return this.#end(promise, called.failed);
    const made = { generation, values: called.answer.values };
    if (called.answer.identity !== undefined) this.#identities.add(called.answer.identity);
    await this.#works(made, promise, `the credential of generation ${generation}`);
    return made;
  }

  #end(promise: PromiseId, why: string): never {
    this.#promises.breaks(promise, why);
    throw new CannotGoOn();
  }

  /** What verify answers; a failure is `unknown`. */
  async #answer({ values }: Made, more = {}): Promise<AnswerOf<"verify">> {
    if (this.signal.aborted) throw new CannotGoOn();
    const called = trusted(await this.#calls.verify(values, more));
    if ("failed" in called) return { answer: "unknown", evidence: called.failed };
    const { answer, identity } = called.answer;
    if (answer === "works" && identity !== undefined) this.#identities.add(identity);
    return called.answer;
  }

  /** Asks until it answers so, for as long as the issuer may take. */
  #until(made: Made, wanted: AnswerOf<"verify">["answer"]): Promise<AnswerOf<"verify">> {
    const limit = this.kind.declaration.wait;
    return poll(
      () => this.#answer(made),
      ({ answer }) => answer === wanted,
      { every: 1000, limit },
    );
  }

  async #works(made: Made, promise: PromiseId, what: string): Promise<void> {
    const seen = await this.#until(made, "works");
    if (seen.answer !== "works") this.#end(promise, `verify answers ${seen.answer} for ${what}${because(seen)}`);
    this.#promises.keeps(promise, `verify answers works for ${what}`);
  }

  async #stillWorks(made: Made, promise: PromiseId, what: string): Promise<boolean> {
    const seen = await this.#answer(made);
    const works = seen.answer === "works";
    if (works) this.#promises.keeps(promise, `${what} works`);
    else this.#promises.breaks(promise, `${what} is ${seen.answer}${because(seen)}`);
    return works;
  }

  /** The same id again. @returns the credential that is left */
  async #repeated(before: Made): Promise<Made> {
    const again = await this.#issued(before.generation, "same-id");
    const isSame = Object.entries(before.values).every(([field, value]) => again.values[field] === value);
    if (isSame) this.#promises.keeps("same-id", "it returned the same one");
    else {
      const { answer } = await this.#until(before, "refused");
      if (answer === "refused") this.#promises.keeps("same-id", "it returned a newer one and ended the first");
      else this.#promises.breaks("same-id", `it made another one, and verify answers ${answer} for the first`);
    }
    return again;
  }

  /** What the commands say without a network. */
  async #unreached(first: Made, current: Made): Promise<void> {
    const { unreachable } = this.#calls;
    const { answer } = await this.#answer(current, unreachable);
    if (answer === "unknown") this.#promises.keeps("unknown", "verify answers unknown");
    else this.#promises.breaks("unknown", `with \`unreachable\`, verify answers ${answer}`);
    const issued = await this.#issue(4, unreachable);
    if ("answer" in issued) this.#promises.breaks("failure", "with `unreachable`, issue returned values");
    else this.#lost.delete(4);
    const revoked = await this.#revoke(first, unreachable);
    if ("answer" in revoked) this.#promises.breaks("failure", "with `unreachable`, revoke answered revoked");
    if ("failed" in issued && "failed" in revoked) this.#promises.keeps("failure", "both failed");
  }

  async #revoked(made: Made, others: readonly Made[]): Promise<void> {
    const called = await this.#revoke(made);
    if ("failed" in called) this.#end("ended", called.failed);
    const seen = await this.#until(made, "refused");
    if (seen.answer === "refused") this.#promises.keeps("ended", "verify answers refused");
    else this.#promises.breaks("ended", `verify answers ${seen.answer}${because(seen)}`);
    for (const other of others)
      await this.#stillWorks(other, "own", `after another was revoked, generation ${other.generation}`);
    const again = await this.#revoke(made);
    if ("failed" in again) this.#promises.breaks("twice", again.failed);
    else this.#promises.keeps("twice", "it answered that it is revoked");
  }

  #judgeIdentities(): void {
    const found = [...this.#identities];
    if (found.length > 1) this.#promises.breaks("identity", `it gave ${found.join(" and ")}`);
    else if (found.length === 1) this.#promises.keeps("identity", `it gave ${found[0]}`);
    else this.#promises.notSeen("identity", "verify gives none, so nothing can be compared");
  }

  /** Ends all that was made. @returns the ids of those that may be left */
  async cleanUp(): Promise<string[]> {
    const ended = await Promise.all(
      this.#made.map(async ({ values, generation }) => {
        const called = await this.#calls.revoke(values, generation);
        return "answer" in called ? [] : [generation];
      }),
    );
    return [...new Set([...ended.flat(), ...this.#lost])].map(this.#calls.id);
  }
}

/** @throws CannotGoOn if the command broke a promise by how it answered */
function trusted<A extends "issue" | "verify" | "revoke">(called: Called<A>): Called<A> {
  if ("failed" in called && called.breaks) throw new CannotGoOn();
  return called;
}

const because = ({ evidence }: AnswerOf<"verify">) => (evidence === undefined ? "" : `: ${evidence}`);

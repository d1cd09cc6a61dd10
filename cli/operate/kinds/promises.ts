/** What the commands of a kind promise, in the order in which the test prints them (docs/custom.md). */
export const PROMISES = {
  answers: "each command prints one JSON object as agreed, and nothing else",
  works: "a credential that issue returns works, by what verify answers",
  identity: "verify gives the same identity for each credential",
  overlap: "issue keeps the older credential valid",
  "same-id": "issue with the same id leaves one credential, which works",
  ended: "after revoke, verify answers refused",
  own: "revoke ends its own credential alone",
  twice: "revoke of a credential that has ended is no error",
  unknown: "verify answers unknown if it cannot reach the issuer",
  failure: "issue and revoke fail if they cannot reach the issuer",
  stderr: "no value is on standard error",
  processes: "no value is on a command line or in an environment",
  limit: "each command ends within its time limit",
  terminated: "each command ends by SIGTERM",
  "no-request": "without a request, each command fails",
} as const;

export type PromiseId = keyof typeof PROMISES;

/** A promise and what became of it. */
export interface PromiseSeen {
  readonly promise: PromiseId;
  readonly says: string;
  /** `not seen`: the test could not look at it, or ended before. */
  readonly verdict: "ok" | "broken" | "not seen";
  readonly evidence: string;
}

/** Collects what was seen of each promise. */
export class Promises {
  readonly #kept = new Map<PromiseId, string>();
  readonly #broken = new Map<PromiseId, string[]>();
  readonly #unseen = new Map<PromiseId, string>();

  keeps(promise: PromiseId, evidence: string): void {
    this.#kept.set(promise, evidence);
  }

  breaks(promise: PromiseId, evidence: string): void {
    this.#broken.set(promise, [...new Set([...(this.#broken.get(promise) ?? []), evidence])]);
  }

  notSeen(promise: PromiseId, why: string): void {
    this.#unseen.set(promise, why);
  }

  get seen(): PromiseSeen[] {
    return (Object.keys(PROMISES) as PromiseId[]).map((promise) => {
      const broken = this.#broken.get(promise);
      const kept = this.#kept.get(promise);
      const about = { promise, says: PROMISES[promise] };
      if (broken !== undefined) return { ...about, verdict: "broken", evidence: broken.join("; ") };
      if (kept !== undefined) return { ...about, verdict: "ok", evidence: kept };
      return { ...about, verdict: "not seen", evidence: this.#unseen.get(promise) ?? "the test ended before" };
    });
  }
}

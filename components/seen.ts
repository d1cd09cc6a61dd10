import { within } from "../clients/poll";
import { messageOf } from "../core/errors";

/** Why something could not be seen. */
export interface Unseen {
  readonly unseen: string;
}

export const isUnseen = (seen: unknown): seen is Unseen =>
  typeof seen === "object" && seen !== null && "unseen" in seen;

/** The longest wait for one answer: after it, the thing counts as not seen. */
const LIMIT_MS = 20_000;

/** An answer, or why there is none. Never throws. */
export async function seen<T>(ask: () => Promise<T>): Promise<T | Unseen> {
  try {
    return await within(LIMIT_MS, ask(), () => new Error(`no answer within ${LIMIT_MS / 1000} s`));
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}

import { messageOf } from "../core/errors";

/** Why something could not be seen. */
export interface Unseen {
  readonly unseen: string;
}

export const isUnseen = (seen: unknown): seen is Unseen =>
  typeof seen === "object" && seen !== null && "unseen" in seen;

/** Longer nobody waits for one answer: what does not come by then counts as not seen. */
const LIMIT_MS = 20_000;

/** An answer, or why there is none. Never throws. */
export async function seen<T>(ask: () => Promise<T>): Promise<T | Unseen> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Unseen>((resolve) => {
    timer = setTimeout(() => resolve({ unseen: `no answer within ${LIMIT_MS / 1000} s` }), LIMIT_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    return { unseen: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

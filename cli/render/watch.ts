import { utc } from "../../core/clock";
import { quietSince, seenWords, usersNow, type Watch } from "../../core/disuse";
import type { Looked } from "../operate/watch";

/** The most users that a line names. */
const NAMED = 5;

/** What one look showed; the same as long as nothing changes. */
export function lookLine({ secret, login, watch, error }: Looked): string {
  if (watch === undefined) return `${secret}: not watched: ${error}`;
  return `${secret}: ${login} ${watchWords(watch)}`;
}

/** Who uses a login now, or since when nobody does. */
export function watchWords(watch: Watch): string {
  const users = usersNow(watch);
  if (users.length > 0) {
    const named = users.slice(0, NAMED).map(({ user, firstSeen }) => `${user} since ${utc(firstSeen)}`);
    return `is still used by ${named.join("; ")}${users.length > NAMED ? `; and ${users.length - NAMED} more` : ""}`;
  }
  const [last] = watch.users;
  const before = last === undefined ? "" : ` (before that by ${seenWords(last)})`;
  return `is unused since ${utc(quietSince(watch))}${before}`;
}

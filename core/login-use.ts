/** Who logs in as a role: found on the server, shown to people, and a reason not to revoke a login. */
export type LoginUse =
  | {
      readonly kind: "session";
      /** Empty if the client names none. */
      readonly application: string;
      /** The client's address; `a local socket`; null if the run's login may not see it (`pg_read_all_stats`). */
      readonly client: string | null;
      /** When the oldest of these sessions began, ISO 8601; null if the run's login may not see it. */
      readonly since: string | null;
    }
  | { readonly kind: "mapping"; readonly server: string; readonly mappedFor: string }
  | { readonly kind: "job"; readonly scheduler: string; readonly name: string };

/** How many a message names at the most, so that it stays readable. */
const NAMED = 5;

/**
 * Who uses a login, for people: `nightly-reconcile from 10.0.0.7 since 2026-11-24 02:10 UTC; job "vacuum" of pg_cron`.
 * The same users always give the same text: it contains no process id and no count.
 */
export function useWords(uses: readonly LoginUse[]): string {
  const named = [...new Set(uses.map(wordsOf))];
  const rest = named.length > NAMED ? `; and ${named.length - NAMED} more` : "";
  return `${named.slice(0, NAMED).join("; ")}${rest}`;
}

function wordsOf(use: LoginUse): string {
  const since =
    use.kind !== "session" || use.since === null ? "" : ` since ${use.since.slice(0, 16).replace("T", " ")} UTC`;
  return `${useName(use)}${since}`;
}

/** A user of a login without the time: `nightly-reconcile from 10.0.0.7`. */
export function useName(use: LoginUse): string {
  switch (use.kind) {
    case "session": {
      const client = use.client === null ? "an address that only pg_read_all_stats may see" : use.client;
      return `${use.application === "" ? "a session without application_name" : use.application} from ${client}`;
    }
    case "mapping":
      return `the user mapping of ${use.mappedFor} for the foreign server ${use.server}`;
    case "job":
      return `job ${JSON.stringify(use.name)} of ${use.scheduler}`;
  }
}

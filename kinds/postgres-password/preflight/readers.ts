import type { DatabaseReference } from "../../../clients/postgres";
import type { Check } from "../../../components/preflight/preflight";
import type { PreflightMode } from "../../../core/decide";
import type { SshKey } from "../../../core/ssh-key";
import type { Place } from "../../own-password/place";
import type { DatabasePath } from "../paths/schema";
import { rehearsed } from "../rehearsal/result";

interface InUse {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** A single user logs in from where its readers are, with the password that is about to end. */
export function readerChecks(
  { places, paths, ...database }: DatabaseReference & { places: Place[]; paths: DatabasePath[] },
  { username, password }: InUse = {},
  privateKey: SshKey,
  mode: PreflightMode,
): Check[] {
  if (places.length === 0 || username === undefined || password === undefined) return [];
  const login = { username, password };
  const strict = mode === "rotation";
  return [
    {
      name: "readers",
      needs: ["database"],
      run: async () => {
        const given = {
          places,
          privateKey,
          owner: username,
          strict,
          database,
          paths: [...paths],
          login,
          isInUse: true,
        };
        const { rehearsal, warnings = [] } = await rehearsed(given);
        const fine = rehearsal.filter(({ verdict }) => verdict === "ok");
        return {
          evidence: `${username} logs in from ${fine.length} of ${rehearsal.length}: ${[...new Set(fine.map(({ reader }) => reader))].join("; ")}`,
          warnings,
        };
      },
    },
  ];
}

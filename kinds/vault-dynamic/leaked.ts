import { tryLogin, withDatabase } from "../../clients/postgres";
import { referenceOf, type VaultDynamicConfig } from "../../config";
import { formsIn } from "../../core/fingerprints";
import type { LeakTried, NamedLogin } from "../kind-operations";
import { leaseRoleOf } from "../vault-engine/engine";

/** The most passwords that are tried for a login: each that fails is a line of the server's log. */
const MOST = 5;

/**
 * The logins of this secret in a text. Vault names them `v-<who asked>-<role>-<20 characters>-<when>`, both cut after 8
 * characters; beside one are the texts that may be its password (20 letters, digits and hyphens).
 */
export function loginsOfVault(secret: VaultDynamicConfig, text: string): NamedLogin[] {
  const roles = new Set(secret.restart.map((service) => leaseRoleOf(secret, service).slice(0, 8)));
  const found = new Map<string, Set<string>>();
  for (const form of formsIn(text)) {
    const names = [...form.matchAll(/v-[\w.-]{0,8}?-([\w.-]{1,8})-[A-Za-z0-9]{20}-\d{10}/g)];
    for (const [username, role = ""] of names) {
      if (!roles.has(role)) continue;
      const passwords = form.replaceAll(username, " ").match(/(?<![\w-])[A-Za-z0-9-]{20}(?![\w-])/g) ?? [];
      found.set(username, new Set([...(found.get(username) ?? []), ...passwords]));
    }
  }
  return [...found].map(([username, passwords]) => ({ username, passwords: [...passwords] }));
}

/** Whether the database still has the login, and whether one of the passwords is its own. */
export async function tryLoginOfVault(
  { database }: VaultDynamicConfig,
  { username, passwords }: NamedLogin,
): Promise<LeakTried> {
  const { rows } = await withDatabase(referenceOf(database), (client) =>
    client.query<{ may: boolean; ends: string | null }>(
      `SELECT rolcanlogin AND coalesce(rolvaliduntil > clock_timestamp(), true) AS may, rolvaliduntil::text AS ends
       FROM pg_roles WHERE rolname = $1`,
      [username],
    ),
  );
  const [login] = rows;
  if (login === undefined) return { answer: "refused", evidence: `the database has no login ${username} any more` };
  if (!login.may) return { answer: "refused", evidence: `${username} may not log in any more` };
  for (const password of passwords.slice(0, MOST)) {
    const { outcome, evidence } = await tryLogin(referenceOf(database), { username, password });
    if (outcome === "works") return { answer: "works", evidence };
  }
  const until = login.ends === null ? "" : ` until ${login.ends}`;
  return { answer: "unknown", evidence: `${username} may log in${until}; its password was not found beside its name` };
}

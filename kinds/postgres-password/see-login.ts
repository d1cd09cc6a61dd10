import { tryLogin } from "../../clients/postgres";
import { seen } from "../../components/seen";
import { type DatabasePasswordConfig, referenceOf } from "../../config";
import type { LeakedParts, LeakTried, LoginSeen } from "../kind-operations";

/** Really logs in, in bounded time. Never throws. */
export async function seeLogin(
  { database }: DatabasePasswordConfig,
  { generation, username, password }: Readonly<Record<"username" | "password", string> & { generation: number }>,
): Promise<LoginSeen> {
  const answer = await seen(async () => {
    const { outcome, evidence } = await tryLogin(referenceOf(database), { username, password });
    return outcome === "unknown" ? { unseen: evidence } : outcome;
  });
  return { generation, name: username, of: "database", answer };
}

/**
 * Tries a login with a password that leaked; undefined if one of them is missing. A server that admits the login from
 * elsewhere alone says nothing of the password.
 */
export async function tryLeaked(
  { database }: DatabasePasswordConfig,
  { username, parts: { password } }: LeakedParts,
): Promise<LeakTried | undefined> {
  if (username === null || password === undefined) return undefined;
  const { outcome, evidence } = await tryLogin(referenceOf(database), { username, password });
  return { answer: /pg_hba\.conf/.test(evidence) ? "unknown" : outcome, evidence };
}

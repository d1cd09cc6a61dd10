import { tryLogin } from "../../clients/postgres";
import { seen } from "../../components/seen";
import { type DatabasePasswordConfig, referenceOf } from "../../config";
import type { LoginSeen } from "../kind-operations";

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

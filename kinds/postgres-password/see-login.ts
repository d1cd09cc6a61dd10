import { tryLogin } from "../../clients/postgres";
import { seen } from "../../components/seen";
import { type DatabasePasswordConfig, referenceOf } from "../../config";
import type { LoginSeen } from "../kind-operations";
import type { Login } from "./credentials";

/** Really logs in, in bounded time. Never throws. */
export async function seeLogin(
  { database }: DatabasePasswordConfig,
  { generation, username, password }: Pick<Login, "generation" | "username" | "password">,
): Promise<LoginSeen> {
  const answer = await seen(async () => {
    const { outcome, evidence } = await tryLogin(referenceOf(database), { username, password });
    return outcome === "unknown" ? { unseen: evidence } : outcome;
  });
  return { generation, name: username, of: "database", answer };
}

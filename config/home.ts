import { userInfo } from "node:os";

/**
 * The user's home as Vault, libpq, node-postgres and most tools find it: HOME, else the entry in passwd. Undefined if there is
 * neither, as for a container's user without an entry in passwd: the working directory is no home.
 */
export const homeOf = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  env.HOME || passwdHome();

/** The entry in passwd. */
export function passwdHome(): string | undefined {
  try {
    return userInfo().homedir || undefined;
  } catch {
    return undefined;
  }
}

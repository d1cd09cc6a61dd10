import { messageOf } from "../../core/errors";
import type { Issuer } from "./issuer";

/**
 * Ends what an interrupted update may have made under an id and the state has not got. To issue it again is the only way to
 * find it. Never throws: a rollback must not depend on it.
 */
export async function orphanEnded(issuer: Issuer, id: string): Promise<{ readonly warnings: readonly string[] }> {
  if (!issuer.repeats) {
    const why =
      "the update that was interrupted may have made one, and `issue` in the config has no {id} to find it by";
    return { warnings: [`a credential may be left at its issuer: ${why}; look there, and end what is not in use`] };
  }
  try {
    const values = await issuer.issue?.(id);
    if (values !== undefined) await issuer.revoke?.(values, id);
    return { warnings: [] };
  } catch (error) {
    return { warnings: [`a credential may be left at its issuer under the id ${id}: ${messageOf(error)}`] };
  }
}

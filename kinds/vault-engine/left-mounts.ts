import { vaultOf } from "../../stores";
import type { StoreReference } from "../../stores/schemas";
import { MOUNT_DESCRIPTION, type VaultPasswordConfig } from "./engine";
import { readMount } from "./preflight";

/**
 * Queries Vault for mounts of ours that the stack may not know: a first update was killed between making one and the save.
 * They are adopted, since a second one cannot be made in the same place. Never throws: if Vault does not answer, the
 * preflight reports it.
 */
export async function seeLeftMounts(
  secrets: readonly VaultPasswordConfig[],
  isKnown: (secret: string) => boolean,
  reference: StoreReference,
): Promise<ReadonlySet<string>> {
  const made = secrets.filter(({ vault }) => vault.createMount);
  const known = new Set(made.filter(({ name }) => isKnown(name)).map(({ vault }) => vault.mount));
  const asked = [...new Set(made.map(({ vault }) => vault.mount))].filter((mount) => !known.has(mount));
  const found = asked.map(async (mount) => ((await isOurs(mount, reference).catch(() => false)) ? [mount] : []));
  return new Set((await Promise.all(found)).flat());
}

async function isOurs(mount: string, reference: StoreReference): Promise<boolean> {
  const found = await readMount(vaultOf(reference), mount);
  return found?.type === "database" && found.description === MOUNT_DESCRIPTION;
}

import type { PreviousSecrets } from "../../components/stack-secrets";
import { type Config, isMadeByVault } from "../../config";
import { vaultOf } from "../../stores";
import type { StoreReference } from "../../stores/schemas";
import { MOUNT_DESCRIPTION } from "./engine";
import { readMount } from "./preflight";

/**
 * Asks Vault for mounts of ours that the stack may not know: a first update was killed between making one and its being
 * saved. They are taken over, since a second one cannot be made in the same place. Never throws: where Vault does not
 * answer, the preflight says so.
 */
export async function seeLeftMounts(
  config: Config,
  previous: PreviousSecrets,
  reference: StoreReference,
): Promise<ReadonlySet<string>> {
  const made = config.secrets.filter(isMadeByVault).filter(({ vault }) => vault.createMount);
  const known = new Set(made.filter(({ name }) => previous[name] !== undefined).map(({ vault }) => vault.mount));
  const asked = [...new Set(made.map(({ vault }) => vault.mount))].filter((mount) => !known.has(mount));
  const found = asked.map(async (mount) => ((await isOurs(mount, reference).catch(() => false)) ? [mount] : []));
  return new Set((await Promise.all(found)).flat());
}

async function isOurs(mount: string, reference: StoreReference): Promise<boolean> {
  const found = await readMount(vaultOf(reference), mount);
  return found?.type === "database" && found.description === MOUNT_DESCRIPTION;
}

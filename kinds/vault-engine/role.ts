import * as z from "zod";
import type { Vault } from "../../clients/vault";
import { StepError } from "../../core/errors";

/** A static role of Vault's database engine. */
export const vaultRole = z.object({ mount: z.string(), name: z.string() });

export type VaultRole = z.output<typeof vaultRole>;

interface RoleAnswer {
  readonly data: { readonly last_vault_rotation?: string; readonly username: string };
}

interface CredsAnswer {
  readonly data: {
    readonly username: string;
    readonly password: string;
    readonly last_vault_rotation: string;
    /** Seconds until Vault rotates it by itself. */
    readonly ttl: number;
  };
}

/** When Vault rotated the role last. @throws StepError if there is no such role */
export async function readRotation(client: Vault, role: VaultRole): Promise<string> {
  const rotation = await findRotation(client, role);
  if (rotation === undefined) throw new StepError(`Vault has no static role ${role.mount}/static-roles/${role.name}`);
  return rotation;
}

/** When Vault rotated the role last; undefined if there is no such role. */
export async function findRotation(client: Vault, { mount, name }: VaultRole): Promise<string | undefined> {
  const answer = await client.get<RoleAnswer>(`${mount}/static-roles/${name}`);
  return answer?.data.last_vault_rotation;
}

/** What Vault hands out to the services. Keep the password in memory. @throws StepError */
export async function readLogin(client: Vault, { mount, name }: VaultRole): Promise<CredsAnswer["data"]> {
  const answer = await client.get<CredsAnswer>(`${mount}/static-creds/${name}`);
  if (answer === undefined) throw new StepError(`Vault hands out nothing at ${mount}/static-creds/${name}`);
  return answer.data;
}

import * as z from "zod";
import type { Vault } from "../../clients/vault";
import { StepError } from "../../core/errors";
import { MOUNT_DESCRIPTION } from "./engine";

/** Vault's database secrets engine, as a secret uses it. */
export const vaultEngineInput = z.object({
  mount: z.string(),
  createMount: z.boolean(),
  connection: z.object({
    name: z.string(),
    /** Vault's own login. */
    username: z.string(),
    url: z.string(),
    /** The roles that this stack allows. */
    roles: z.array(z.string()),
  }),
});

export type VaultEngineInput = z.output<typeof vaultEngineInput>;

/** A secrets engine as Vault describes it. */
interface Mount {
  readonly type?: string;
  readonly description?: string;
}

interface ConnectionAnswer {
  readonly data: {
    readonly allowed_roles?: readonly string[];
    readonly connection_details?: { readonly username?: string; readonly connection_url?: string };
  };
}

const WRITE = ["create", "read", "update"];

/** What the token must be allowed to do before any role is made, by path. */
export const engineNeeds = ({ mount, createMount, connection }: VaultEngineInput): Record<string, string[]> => ({
  ...(createMount ? { [`sys/mounts/${mount}`]: WRITE } : {}),
  [`${mount}/config/${connection.name}`]: WRITE,
});

/**
 * Nothing foreign would be adopted or overwritten: checked before the first update of a secret.
 * @throws StepError naming what is there and what helps
 */
export async function checkOwnership(client: Vault, engine: VaultEngineInput): Promise<void> {
  if (engine.createMount) await checkMount(client, engine.mount);
  await checkConnection(client, engine);
}

/** What is mounted there; undefined if nothing is. */
export async function readMount(client: Vault, mount: string): Promise<Mount | undefined> {
  const answer = await client.get<Mount & { readonly data?: Mount }>(`sys/mounts/${mount}`, {}, [400, 404]);
  return answer?.data ?? answer;
}

async function checkMount(client: Vault, mount: string): Promise<void> {
  const found = await readMount(client, mount);
  if (found === undefined || found.description === MOUNT_DESCRIPTION) return;
  if (found.type === "database") {
    throw new StepError(
      `the mount ${mount} exists already and this program did not make it: to use it as it is, set vault.createMount: false`,
    );
  }
  throw new StepError(
    `expected no mount ${mount}, or one of the database engine; found one of ${found.type}: name another in vault.mount`,
  );
}

/** A connection with the same login on the same database that allows no foreign roles is as good as ours. */
async function checkConnection(client: Vault, { mount, connection }: VaultEngineInput): Promise<void> {
  const path = `${mount}/config/${connection.name}`;
  const found = (await client.get<ConnectionAnswer>(path))?.data;
  if (found === undefined) return;
  const { username, connection_url: url } = found.connection_details ?? {};
  const foreign = (found.allowed_roles ?? []).filter((role) => !connection.roles.includes(role));
  const differs = [
    ...(username === connection.username ? [] : [`it logs in as ${username ?? "another user"}`]),
    ...(url === connection.url ? [] : ["it names another database"]),
    ...(foreign.length === 0 ? [] : [`it allows ${foreign.join(", ")}`]),
  ];
  if (differs.length === 0) return;
  throw new StepError(
    `the connection ${path} exists already and is another (${differs.join("; ")}), and would be overwritten: name another ` +
      "in vault.connection",
  );
}

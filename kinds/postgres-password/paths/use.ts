import type { PoolerUse } from "../../../clients/pgbouncer";
import type { LoginUse } from "../../../core/login-use";
import { type PoolerPlace, pathName } from "./schema";

/** What the poolers hold of a login. */
export interface PooledUse {
  /** Process ids on the server of connections that a pooler keeps: whether they are used, its clients show. */
  readonly servers: readonly number[];
  /** The poolers' clients. */
  readonly users: readonly LoginUse[];
}

/** Asks the consoles of all poolers. @throws StepError if one does not answer */
export async function pooledUse(poolers: readonly PoolerPlace[], role: string): Promise<PooledUse> {
  if (poolers.length === 0) return { servers: [], users: [] };
  // Loaded when used: few platforms have a pooler.
  const { useOf } = await import("../../../clients/pgbouncer");
  const found = await Promise.all(poolers.map(async (pooler) => ({ pooler, use: await useOf(pooler, role) })));
  return {
    servers: found.flatMap(({ use }) => use.servers),
    users: found.flatMap(({ pooler, use }) => use.clients.map((client) => userOf(pooler, client))),
  };
}

const userOf = (pooler: PoolerPlace, { application, address }: PoolerUse["clients"][number]): LoginUse => ({
  kind: "session",
  application,
  client: `${address} over ${pathName(pooler)}`,
  since: null,
});

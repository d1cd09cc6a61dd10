import * as z from "zod";
import type { RedisPasswordConfig } from "./schema";

/** How a step reaches the servers; the password of `admin` is in its environment. */
export const redisReference = z.object({
  nodes: z.array(z.string()).min(1),
  user: z.string(),
  admin: z.string(),
  adminVariable: z.string(),
  tls: z.object({
    mode: z.enum(["disable", "verify-ca", "verify-full"]),
    ca: z.string().optional(),
    cert: z.string().optional(),
    key: z.string().optional(),
  }),
  rewriteConfig: z.boolean(),
});

/** How the preflight reaches Sentinel. */
export const sentinelReference = z.object({
  nodes: z.array(z.string()).min(1),
  master: z.string(),
  user: z.string().optional(),
  variable: z.string().optional(),
});

export type SentinelReference = z.output<typeof sentinelReference>;

export type RedisReference = z.output<typeof redisReference>;

/** How a step reaches a secret's servers. */
export const redisOf = ({
  nodes,
  user,
  admin,
  adminVariable,
  tls,
  rewriteConfig,
}: RedisPasswordConfig): RedisReference => ({ nodes, user, admin, adminVariable, tls, rewriteConfig });

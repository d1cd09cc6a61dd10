import { join } from "node:path";
import type { Toolchain } from "../toolchain/types";
import type { Lab } from "./lab";
import { createStack, type Stack } from "./stack";

/** When the lab's calendar begins: a Monday night, markets closed. */
export const LAB_START = new Date("2026-11-23T02:00:00.000Z");

/** What {@link deployStack} takes. */
export interface DeployOptions {
  readonly lab: Lab;
  readonly tools: Toolchain;
  /** The Pulumi stack; the lab's environment by default. */
  readonly stack?: string;
  /** How each database's password rotates, by the secret's name; alternating users by default. */
  readonly strategies?: Readonly<Record<string, "single-user" | "alternating-users">>;
  /** Whether the passwords in use are given, so that the first rotation can be rolled back; true by default. */
  readonly adopt?: boolean;
  /** Config keys beside or instead of the lab's own; `undefined` leaves one out. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The stack config that describes a lab. */
export function labConfig({
  lab,
  strategies = {},
  config = {},
}: Omit<DeployOptions, "tools">): Record<string, unknown> {
  const { sshPrivateKey: _, ...places } = lab.config;
  const { environment, postgres } = lab;
  return {
    environment,
    store: lab.store.config,
    alpaca: { baseUrl: (environment === "paper" ? lab.alpaca.paper : lab.alpaca.live).url },
    ...places,
    secrets: lab.databases.map((database) => ({
      kind: "postgres-password",
      name: database.secretName,
      strategy: strategies[database.secretName] ?? "alternating-users",
      database: { host: postgres.host, port: postgres.port, name: database.name, sslmode: "disable" },
      role: database.role,
      restart: lab.readers(database.secretName),
    })),
    lab: { clock: LAB_START.toISOString() },
    ...config,
  };
}

/** A stack of the real program against the lab; nothing is deployed yet. */
export function deployStack(options: DeployOptions): Promise<Stack> {
  const { lab, tools, stack = lab.environment, adopt = true } = options;
  const config = Object.entries(labConfig(options)).filter(([, value]) => value !== undefined);
  return createStack({
    dir: join(lab.dir, `stack-${stack}`),
    stack,
    env: { ...tools.env, ...lab.env },
    config: Object.fromEntries(config),
    secrets: {
      sshPrivateKey: lab.config.sshPrivateKey,
      ...(adopt ? { adopted: JSON.stringify(lab.adopted) } : {}),
    },
  });
}

/** The lab's calendar, moved: what the config key `lab` says from now on. */
export const clockAt = (days: number) => ({ clock: new Date(LAB_START.getTime() + days * 86_400_000).toISOString() });

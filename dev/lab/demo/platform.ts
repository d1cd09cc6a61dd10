import type { Toolchain } from "../../toolchain/resolve";
import { deployStack, type Strategy } from "../deploy";
import { type Lab, startLab } from "../lab";
import type { Stack } from "../stack";

/** The runbook's services on one database, and a second one with the runbook's own strategy. */
export const DEMO_DATABASES = [
  { name: "trader", role: "trader", secretName: "database/password", strategy: "alternating-users" },
  { name: "analytics", role: "analytics", secretName: "analytics/password", strategy: "single-user" },
] as const;

const SERVICES = [
  { name: "signal-service", database: "database/password" },
  { name: "orchestrator", database: "database/password", alpaca: true },
  { name: "execution-gateway", alpaca: true },
  { name: "market-data-service", alpaca: true },
  { name: "risk-service", database: "analytics/password" },
];

/** What {@link startPlatform} takes. */
export interface PlatformOptions {
  /** Where the services read their secrets. */
  readonly store: "vault" | "aws";
  /** How every database's password rotates; as {@link DEMO_DATABASES} says by default. */
  readonly strategy?: Strategy | undefined;
  /** Config keys beside the lab's own. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A platform of servers and services, and a stack of the real program on it. */
export interface DemoPlatform {
  readonly lab: Lab;
  readonly stack: Stack;
}

/** Starts the platform, with a stack that is configured and has never run. What was started is stopped when something fails. */
export async function startPlatform(
  tools: Toolchain,
  { store, strategy, config }: PlatformOptions,
): Promise<DemoPlatform> {
  if (tools.openbao === undefined) throw new Error("the toolchain has no OpenBao");
  const moto = store === "aws" ? tools.moto?.path : undefined;
  const strategies = Object.fromEntries(
    DEMO_DATABASES.map((database) => [database.secretName, strategy ?? database.strategy]),
  );
  const lab = await startLab({
    openbao: tools.openbao.path,
    moto,
    store,
    databases: DEMO_DATABASES,
    services: SERVICES,
  });
  try {
    return { lab, stack: await deployStack({ lab, tools, strategies, rotates: "both", config }) };
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

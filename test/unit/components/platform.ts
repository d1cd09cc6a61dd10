import type { Platform } from "../../../components/platform";
import { StackStore } from "../../../components/stack-store";

/** A stack's platform in Vault, with nothing else on it than what is given. */
export const platformOf = (given: Partial<Platform>): Platform => ({
  secrets: [],
  store: new StackStore({ kind: "vault", mount: "secret", environment: "paper" }),
  services: {},
  hosts: {},
  privateKey: undefined,
  marketClock: undefined,
  allowOpenMarket: true,
  notice: undefined,
  audit: { connection: { host: "db" }, stack: "paper", environment: "paper" },
  clock: undefined,
  planBasis: [],
  ...given,
});

/** A service on this machine, or on `hosts`. */
export const service = (hosts: string[] = [], port = 8000) => ({
  hosts,
  health: `http://localhost:${port}/health`,
  timeout: 60_000 as never,
});

import { Vault } from "../clients/vault";
import { StepError } from "../core/errors";
import { aws } from "./aws";
import { type StoreConfig, type StoreReference, schemaOf } from "./schemas";
import type { DeclareBefore, Run, Store, StoreClient } from "./store";
import { vault } from "./vault";

/** Every store: a line each. */
const STORES = { vault, aws } satisfies Readonly<Record<StoreConfig["kind"], Store>>;

const storeOf = ({ kind }: Pick<StoreConfig, "kind">): Store<StoreConfig, StoreReference> => STORES[kind];

/** The client of a store. */
export const storeClient = (reference: StoreReference): StoreClient => storeOf(reference).connect(reference);

/** The client of a store with another identity's token. @throws StepError if the store takes none */
export function clientAs(reference: StoreReference, token: () => Promise<string>): StoreClient {
  const client = storeOf(reference).connectAs?.(reference, token);
  if (client === undefined) throw new StepError(`a store of the kind ${reference.kind} takes no token`);
  return client;
}

/** Begins the run's own login to the config's store: {@link Store.openSession}. */
export const openSession = (config: StoreConfig, run: Run): void => storeOf(config).openSession?.(config, run);

/** The credentials of the session that this process has opened, for what it starts: {@link Store.sessionEnvironment}. */
export async function sessionEnvironment(): Promise<Record<string, string>> {
  const all = Object.values<Store>(STORES).map((store) => store.sessionEnvironment?.());
  return Object.assign({}, ...(await Promise.all(all))) as Record<string, string>;
}

/** What the program must declare before it writes to the config's store: {@link Store.declare}. */
export const declareStore = (config: StoreConfig, environment: string): Promise<DeclareBefore | undefined> =>
  storeOf(config).declare(config, environment);

/** The client of the Vault that keeps the store. @throws StepError if it is another store */
export function vaultOf(place: StoreConfig | StoreReference): Vault {
  const found = schemaOf(place).vault(place);
  if (found === undefined) throw new StepError(`expected a store of the kind vault, found ${place.kind}`);
  return new Vault(found);
}

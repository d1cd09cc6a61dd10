import { Vault } from "../clients/vault";
import { StepError } from "../core/errors";
import { aws } from "./aws";
import { type StoreConfig, type StoreReference, schemaOf } from "./schemas";
import type { DeclareBefore, Store, StoreClient } from "./store";
import { vault } from "./vault";

/** Every store: a line each. */
const STORES = { vault, aws } satisfies Readonly<Record<StoreConfig["kind"], Store>>;

const storeOf = ({ kind }: Pick<StoreConfig, "kind">): Store<StoreConfig, StoreReference> => STORES[kind];

/** The client of a store. */
export const storeClient = (reference: StoreReference): StoreClient => storeOf(reference).connect(reference);

/** What the program must declare before it writes to the config's store: {@link Store.declare}. */
export const declareStore = (config: StoreConfig, environment: string): Promise<DeclareBefore | undefined> =>
  storeOf(config).declare(config, environment);

/** The client of the Vault that keeps the store. @throws StepError if it is another store */
export function vaultOf(place: StoreConfig | StoreReference): Vault {
  const found = schemaOf(place).vault(place);
  if (found === undefined) throw new StepError(`expected a store of the kind vault, found ${place.kind}`);
  return new Vault(found.address);
}

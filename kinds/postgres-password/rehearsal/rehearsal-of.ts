import { type PostgresPasswordConfig, pathsOf } from "../../../config";
import type { PreflightMode } from "../../../core/decide";
import type { StoreReference } from "../../../stores/schemas";
import { type ReadersPlatform, readersOf } from "../../own-password/readers";

/** How a stack's platform is reached. `K` opens hosts. */
interface Reached<K> extends ReadersPlatform {
  readonly privateKey?: K | undefined;
  readonly store: { readonly reference: StoreReference };
}

/**
 * The input of a rehearsal. What the config does not name is absent: it is part of the state.
 *
 * @param old the login in use, if it is another one and its password is known
 */
export function rehearsalOf<K, L extends { readonly username: string; readonly password: unknown }>(
  secret: PostgresPasswordConfig,
  { privateKey, store, ...platform }: Reached<K>,
  mode: PreflightMode,
  old: L | undefined,
) {
  const places = readersOf(secret.restart, platform);
  const readsStore = places.some(({ readers }) => readers.some(({ tokenFile }) => tokenFile !== undefined));
  const onHosts = places.some(({ host }) => host !== undefined);
  return {
    places,
    owner: secret.role,
    strict: mode === "rotation",
    ...(old === undefined ? {} : { old: { username: old.username, password: old.password as L["password"] } }),
    ...(onHosts && privateKey !== undefined ? { privateKey } : {}),
    ...(readsStore ? { store: { reference: store.reference, paths: pathsOf(secret) } } : {}),
  };
}

import { activeGeneration, adoptedGeneration, EMPTY, type Generation, keptGeneration, type SecretState } from "./state";

/** An operator's request in the stack config. It acts exactly once: its id is kept in the secret's state. */
export interface Request {
  /** Any text that was not used before for this secret, such as `2026-11-23-leak`. */
  readonly id: string;
  /** The secret's name in the config, such as `database/password`. */
  readonly secret: string;
  /** A rotation now, whatever the age. */
  readonly rotate?: true | undefined;
  /** With `rotate`: a leaked secret. Does not wait for the market to close, and the old login ends at once. */
  readonly emergency?: true | undefined;
  /** A rollback to this generation. A number means the same after an interrupted update. */
  readonly activate?: Generation | undefined;
  /** Adopts an external write to the store: the config's `adopted` value becomes the generation in use. */
  readonly adopt?: true | undefined;
  /** With `rotate` or `activate`: overwrites an external write to the store. The audit row says what it was. */
  readonly force?: true | undefined;
  /** Written into the audit row. */
  readonly reason: string;
}

/** A request that cannot be carried out. Nothing was changed. */
export class RequestRefusedError extends Error {
  override readonly name = "RequestRefusedError";
}

/** The generations a rollback could name, each once. */
export function restorableGenerations(state: SecretState, hasAdopted: boolean): Generation[] {
  const isKnown = (generation: Generation) => hasAdopted || generation !== adoptedGeneration(state);
  const all = [...new Set([...state.slots, keptGeneration(state, state.active)])];
  return all.filter((generation) => generation !== EMPTY && isKnown(generation));
}

/** @throws RequestRefusedError with the available generations, if `target` is none of them. */
export function assertRestorable(request: Request, target: Generation, state: SecretState, hasAdopted: boolean): void {
  const possible = restorableGenerations(state, hasAdopted);
  if (possible.includes(target)) return;
  const others = possible.filter((generation) => generation !== activeGeneration(state));
  const offer =
    others.length === 0
      ? "there is nothing to roll back to"
      : `available: ${others.join(", ")} (active now: ${activeGeneration(state)})`;
  const adopted =
    target === adoptedGeneration(state) && !hasAdopted
      ? " Its value was never given: set the secret config key `adopted`."
      : "";
  throw new RequestRefusedError(
    `request ${request.id}: ${request.secret} has no generation ${target} in its slots; ${offer}.${adopted} ` +
      "Correct or remove the config key `request`; nothing was changed.",
  );
}

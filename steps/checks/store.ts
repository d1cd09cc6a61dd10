import { StepError } from "../run-step";
import type { StoreClient, StoreEntry } from "../store";

/**
 * The store holds the value that is about to become the previous one: a rollback finds it there too.
 *
 * @param whenForeign what to do where it holds another one.
 */
export async function checkCurrentValue(
  store: StoreClient,
  entries: readonly StoreEntry[],
  whenForeign = "Somebody wrote it by hand: write the known one back",
): Promise<string> {
  const found = await Promise.all(
    entries.map(async ({ path, value }) => ({ path, value, stored: await store.read(path) })),
  );
  const wrong = found.filter(({ value, stored }) => stored?.value !== value);
  if (wrong.length === 0) return found.map(({ path, stored }) => `${path} version ${stored?.version}`).join(", ");
  const texts = wrong.map(({ path, stored }) =>
    stored === undefined
      ? `${path} is not in the store`
      : `${path} holds another value (version ${stored.version}) than this stack knows`,
  );
  throw new StepError(`${texts.join("; ")}. ${whenForeign}`);
}

import { StepError } from "../run-step";
import type { StoreClient, StoreEntry } from "../store";

/** The store holds the value that is about to become the previous one: a rollback finds it there too. */
export async function checkCurrentValue(store: StoreClient, entries: readonly StoreEntry[]): Promise<string> {
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
  throw new StepError(
    `${texts.join("; ")}. Somebody wrote it by hand: take that value over with \`pulumi config set --secret --path ` +
      `'adopted["${wrong.at(-1)?.path}"]'\` on a new stack, or write the known one back`,
  );
}

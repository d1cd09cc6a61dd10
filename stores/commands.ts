import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { answerOf, stepCommand } from "../components/step-command";
import type { AnnotateArgs, Stored, StoreReference, WriteArgs, WriteOptions } from "./store";

/** What a resource of a path is called: `database-password-database-username`. */
export const pathName = (name: string, path: string) => `${name}-${path.replaceAll("/", "-")}`;

/** Where a path is kept, as the store's users write it. */
export const placeOf = (store: StoreReference, path: string) =>
  `${store.kind === "vault" ? `${store.mount}/` : ""}${store.environment}/${path}`;

/**
 * Writes the entries one after the other, each by a step of ours: a provider's resource writes the whole document, from
 * its own state, and knows neither what others keep in it nor which version it overwrites.
 *
 * @param before what must be there before a path is written, such as the secret itself.
 */
export function writeEntries(
  name: string,
  store: StoreReference,
  args: WriteArgs,
  { parent, dependsOn }: WriteOptions,
  before: (path: string, dependsOn: pulumi.Resource) => pulumi.Resource = (_, earlier) => earlier,
): Stored {
  const { entries, generation, slot, known, whenForeign, force, trigger } = args;
  const written: local.Command[] = [];
  let last = dependsOn;
  for (const entry of entries) {
    const { path } = entry;
    const pair = entries.length === 1 ? {} : { pair: { generation, slot } };
    const own = known.filter((one) => one.path === path);
    const guard = { known: own, whenForeign, force, activation: trigger };
    const command = stepCommand(
      pathName(name, path),
      { step: "store-write", about: placeOf(store, path), input: { store, entry, ...pair, ...guard } },
      { parent, dependsOn: before(path, last) },
    );
    written.push(command);
    last = command;
  }
  const answer = pulumi.all(written.map(answerOf)).apply((answers): Record<string, unknown> => {
    const all = (key: string) => answers.flatMap((one) => (one[key] ?? []) as unknown[]);
    return { entries: all("entries"), warnings: all("warnings") };
  });
  return { last, answer };
}

/** Marks each path by a step of ours, which keeps the marks of others. @param kind what the store calls them */
export function annotate(
  name: string,
  kind: "metadata" | "tags",
  store: StoreReference,
  { marks }: AnnotateArgs,
  { parent, dependsOn }: WriteOptions,
): pulumi.Resource {
  return marks.reduce<pulumi.Resource>(
    (before, { path, says }) =>
      stepCommand(
        `${pathName(name, path)}-${kind}`,
        { step: "store-mark", about: placeOf(store, path), input: { store, path, says } },
        { parent, dependsOn: before },
      ),
    dependsOn,
  );
}

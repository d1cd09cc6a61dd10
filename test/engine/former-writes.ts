import { nameOf, slugOf } from "../../core/resource-names";
import { unquoted } from "../../core/shell-word";
import { isDocument, pairOf } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { type Exported, secret, stdinOf } from "./exported";

interface Writing {
  readonly store: { readonly kind: string };
  readonly entries: readonly StoreEntry[];
  readonly pair: object;
  readonly known: readonly StoreEntry[];
  readonly whenForeign: string;
  readonly force: boolean;
}

interface Marking {
  readonly store: { readonly kind: string };
  readonly marks: readonly { readonly path: string; readonly says: object }[];
}

/** A state as the program left it before one step wrote all paths: a step for each, and one that looked at all of them before. */
export function stateOfFormerWrites(text: string): string {
  const { version, deployment } = JSON.parse(text);
  const whole = { version, deployment: { ...deployment, resources: withFormerWrites(deployment.resources) } };
  return JSON.stringify(whole).replaceAll('"inPlace":3', '"inPlace":2');
}

/** The same for its resources. */
export function withFormerWrites(resources: readonly Exported[]): Exported[] {
  const last = new Map<string, string>();
  const former = resources.flatMap((resource) => {
    const made = formerOf(resource);
    const urn = made.at(-1)?.urn;
    if (urn !== undefined && urn !== resource.urn) last.set(resource.urn, urn);
    return made;
  });
  // What depended on the one step depends on the last of several.
  const text = [...last].reduce(
    (json, [now, then]) => json.replaceAll(`"${now}"`, `"${then}"`),
    JSON.stringify(former),
  );
  return JSON.parse(text);
}

function formerOf(resource: Exported): Exported[] {
  const [, step, about] = /steps\/(store-write|store-mark)\.mjs (.+)$/.exec(String(resource.inputs?.create)) ?? [];
  if (step === undefined || about === undefined || !nameOf(resource.urn).endsWith(`-${step}`)) return [resource];
  const places = unquoted(about).split(" and ");
  return step === "store-write" ? formerWrites(resource, places) : formerMarks(resource, places);
}

function formerWrites(resource: Exported, places: readonly string[]): Exported[] {
  const { store, entries, pair, known, whenForeign, force } = stdinOf<Writing>(resource);
  const environment = resource.inputs?.environment as { readonly ROTATION_ACTIVATION: string };
  const { ROTATION_ACTIVATION: activation } = environment;
  const versions = JSON.parse(String((resource.outputs as { stdout: string }).stdout)).entries as object[];
  const looked = commandOf(resource, {
    name: nameOf(resource.urn).replace(/write$/, "unchanged"),
    inputs: {
      create: "node dist/steps/store-unchanged.mjs",
      environment: { ...environment, ROTATION_ONCE: "1" },
      addPreviousOutputInEnv: true,
    },
    stdin: { store, known, whenForeign, force },
    says: { found: "no external write", overrides: [], activation },
  });
  const writes = entries.map((entry, index) => {
    const mark = pairOf(entries, entry, pair);
    const own = known.filter(({ path }) => path === entry.path);
    return commandOf(resource, {
      name: pathName(resource, entry.path),
      inputs: { create: `node dist/steps/store-write.mjs ${places[index]}`, addPreviousOutputInEnv: false },
      stdin: {
        store,
        entry,
        ...(mark === undefined ? {} : { pair: mark }),
        known: own,
        whenForeign,
        force,
        activation,
      },
      says: { entries: [versions[index]], wrote: true, warnings: [] },
    });
  });
  return [looked, ...writes];
}

function formerMarks(resource: Exported, places: readonly string[]): Exported[] {
  const { store, marks } = stdinOf<Marking>(resource);
  return marks.map(({ path, says }, index) =>
    commandOf(resource, {
      name: `${pathName(resource, path)}-${store.kind === "vault" ? "metadata" : "tags"}`,
      inputs: { create: `node dist/steps/store-mark.mjs ${places[index]}`, addPreviousOutputInEnv: false },
      stdin: { store, path, says },
      says: { marked: [] },
    }),
  );
}

/** `database-password-database-username` */
const pathName = ({ urn }: Exported, path: string) => `${nameOf(urn).replace(/-store-\w+$/, "")}-${slugOf(path)}`;

const isPublic = ({ entry }: { readonly entry?: StoreEntry }) =>
  entry !== undefined && !isDocument(entry) && entry.public === true;

interface Command {
  readonly name: string;
  readonly inputs: object;
  readonly stdin: { readonly entry?: StoreEntry; readonly [more: string]: unknown };
  readonly says: object;
}

function commandOf(resource: Exported, { name, inputs: own, stdin, says }: Command): Exported {
  // A user name is none, in a step of its own.
  const isSecret = typeof resource.inputs?.stdin !== "string" && !isPublic(stdin);
  const text = JSON.stringify(stdin);
  const inputs = { logging: "none", ...own, stdin: isSecret ? secret(text) : text };
  const ignoreChanges = "environment" in own ? ["triggers"] : [];
  const { propertyDependencies: _, ...rest } = resource;
  return {
    ...rest,
    urn: resource.urn.replace(/::[^:]+$/, `::${name}`),
    id: `${name}-of-before`,
    ignoreChanges,
    inputs,
    outputs: { ...inputs, stdout: JSON.stringify(says), stderr: "" },
  };
}

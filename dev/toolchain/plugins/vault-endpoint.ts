import type { BridgedResource } from "./bridge";
import { canonicalJson, normalizeJson } from "./canonical-json";
import { text, texts } from "./coerce";
import type { Schema } from "./schema";
import { isObject, type Json, type Properties } from "./values";
import type { VaultClient } from "./vault-client";

const schema: Schema = {
  dataJson: { required: true, secret: true, normalize: normalizeJson },
  disableDelete: { default: false },
  disableRead: { default: false },
  ignoreAbsentFields: { default: false },
  namespace: { forceNew: true },
  path: { required: true, forceNew: true },
  writeData: { kind: "map", output: true },
  writeDataJson: { output: true },
  writeFields: { kind: "list" },
};

/** `vault.generic.Endpoint`: any path of the API, written as given. */
export function endpointResource(client: () => VaultClient): BridgedResource {
  const write = async (plan: Properties): Promise<Properties> => {
    const path = String(plan.path);
    const body = JSON.parse(text(plan.dataJson) ?? "{}") as Json;
    const answer = await client().write(path, isObject(body) ? body : {}, plan.namespace);
    const wanted = texts(plan.writeFields).filter((field) => answer?.[field] !== undefined);
    const written = wanted.map((field): [string, Json] => [field, answer?.[field] ?? null]);
    return {
      ...plan,
      writeData: Object.fromEntries(
        written.map(([field, value]) => [field, typeof value === "string" ? value : canonicalJson(value)]),
      ),
      writeDataJson: canonicalJson(written.length > 0 ? Object.fromEntries(written) : null),
    };
  };
  return {
    schema,
    schemaVersion: "1",
    create: async (plan) => ({ id: String(plan.path), state: await write(plan) }),
    update: async (_id, _old, plan) => write(plan),
    read: async (id, old) => {
      if (old?.disableRead === true) return old;
      const found = await client().read(id, old?.namespace);
      if (found === undefined) return undefined;
      const known = JSON.parse(text(old?.dataJson) ?? "{}") as Properties;
      const kept = Object.entries(found).filter(([key]) => old?.ignoreAbsentFields !== true || key in known);
      return { ...(old ?? { path: id }), dataJson: canonicalJson(Object.fromEntries(kept)) };
    },
    delete: async (id, state) => {
      if (state.disableDelete !== true) await client().remove(id, state.namespace);
    },
  };
}

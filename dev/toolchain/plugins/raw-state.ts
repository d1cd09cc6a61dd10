import type { Attribute, Schema } from "./schema";
import { isObject, type Json, type Properties } from "./values";

/** The note beside a bridged resource's state that says how to turn it back into Terraform's own state. */
export function rawStateDelta(
  { schema, renamed }: { readonly schema: Schema; readonly renamed?: Record<string, string> },
  state: Properties,
): Json {
  const { obj } = objectDelta(schema, state);
  return { obj: { ...obj, ...(renamed ? { renamed } : {}) } };
}

function objectDelta(schema: Schema, state: Properties): { obj: Properties } {
  const paths: Properties = {};
  for (const [key, attribute] of Object.entries(schema)) {
    const delta = attributeDelta(attribute, state[key] ?? null);
    if (delta !== undefined) paths[key] = delta;
  }
  return { obj: Object.keys(paths).length > 0 ? { ps: paths } : {} };
}

function attributeDelta({ kind, fields = {} }: Attribute, value: Json): Json | undefined {
  if (kind === "block") return { plu: { i: isObject(value) ? objectDelta(fields, value) : {} } };
  if (value === null || kind === undefined) return undefined;
  return kind === "map" ? { map: {} } : { arr: {} };
}

// What the plugins made from Terraform providers have in common: how they check, compare, plan and write their state.
import { randomBytes } from "node:crypto";
import { differences } from "./paths";
import type { CheckFailure, DiffResult, PropertyChange, Provider, ResourceContext } from "./provider";
import { rawStateDelta } from "./raw-state";
import { type Attribute, equivalent, isEmpty, markSecrets, type Schema, withDefaults } from "./schema";
import { hasUnknown, isObject, isUnknown, type Json, type Properties, plainProperties, same, UNKNOWN } from "./values";

/** A resource type of a bridged package. States and plans are without secret marks. */
export interface BridgedResource {
  schema: Schema;
  /** Version of the state's schema if it is not 0. */
  schemaVersion?: string;
  /** Terraform's names that do not follow from the property's. */
  renamed?: Record<string, string>;
  /** Makes it as planned; null is "not given". */
  create(plan: Properties): Promise<{ id: string; state: Properties }>;
  /** The state now, or undefined when it is gone. `old` is missing in an import. */
  read(id: string, old: Properties | undefined): Promise<Properties | undefined>;
  update(id: string, old: Properties, plan: Properties): Promise<Properties>;
  delete(id: string, state: Properties): Promise<void>;
}

export interface BridgedPackage {
  name: string;
  resources: Record<string, BridgedResource>;
  /** Config keys that are marked as secret. */
  secretConfig?: string[];
  configure(config: Properties): void;
  invoke?(token: string, args: Properties): Promise<Properties>;
}

/** Answers the engine for a bridged package. */
export function bridgedProvider({ name, resources, secretConfig = [], configure, invoke }: BridgedPackage): Provider {
  const find = ({ type }: ResourceContext): BridgedResource => {
    const resource = resources[type];
    if (resource !== undefined) return resource;
    throw new Error(`the offline plugin for ${name} has no ${type}: it has ${Object.keys(resources).join(", ")}`);
  };
  const configSchema = Object.fromEntries(secretConfig.map((key) => [key, { secret: true }]));

  return {
    capabilities: { supportsAutonaming: true },
    checkConfig: (news) => markSecrets(configSchema, news),
    configure: (config) => configure(plainProperties(config)),
    invoke: invoke && ((token, args) => invoke(token, plainProperties(args))),
    check: (context, olds, news) => check(context, find(context).schema, olds, plainProperties(news)),
    diff: (context, olds, news, _oldInputs, ignore) =>
      diff(find(context).schema, plainProperties(olds), plainProperties(news), ignore),

    create: async (context, news) => {
      const resource = find(context);
      const planned = plan(resource.schema, plainProperties(news), undefined);
      if (context.preview) return { id: "", properties: outputs(resource, { ...planned, id: UNKNOWN }) };
      const { id, state } = await resource.create(known(planned));
      return { id, properties: outputs(resource, { ...asPlanned(planned, state), id }) };
    },
    update: async (context, id, olds, news, ignore) => {
      const resource = find(context);
      const old = plainProperties(olds);
      const kept = Object.fromEntries(ignore.filter((key) => key in old).map((key) => [key, old[key] ?? null]));
      const planned = { ...plan(resource.schema, plainProperties(news), old), ...kept };
      if (context.preview) return outputs(resource, { ...planned, id });
      const state = await resource.update(id, old, known(planned));
      return outputs(resource, { ...asPlanned(planned, state, old), id });
    },
    read: async (context, id, olds, inputs) => {
      const resource = find(context);
      const imported = olds === undefined || Object.keys(olds).length === 0;
      const state = await resource.read(id, imported ? undefined : plainProperties(olds));
      if (state === undefined) return undefined;
      const found =
        imported || inputs === undefined
          ? importedInputs(resource.schema, state)
          : refreshedInputs(resource.schema, plainProperties(inputs), state);
      return { id, properties: outputs(resource, { ...state, id }), inputs: markSecrets(resource.schema, found) };
    },
    delete: async (context, id, state) => find(context).delete(id, plainProperties(state)),
  };
}

function check(context: ResourceContext, schema: Schema, olds: Properties, news: Properties) {
  const failures: CheckFailure[] = [];
  const named: Properties = {};
  for (const [key, attribute] of Object.entries(schema)) {
    if (news[key] !== undefined && news[key] !== null) continue;
    if (attribute.autoName) {
      const before = Array.isArray(olds.__defaults) && olds.__defaults.includes(key) ? olds[key] : undefined;
      named[key] = before ?? `${context.name}-${randomBytes(4).toString("hex").slice(0, 7)}`;
    } else if (attribute.required) {
      const reason = `Missing required argument. The argument "${key}" is required, but no definition was found.. Examine values at '${context.name}.${key}'.`;
      failures.push({ property: "", reason });
    }
  }
  return { inputs: withDefaults(schema, news, named), failures };
}

function diff(schema: Schema, olds: Properties, news: Properties, ignore: string[]): DiffResult {
  const planned = plan(schema, news, olds);
  const detailed: Record<string, PropertyChange> = {};
  const diffs: string[] = [];
  const replaces: string[] = [];
  for (const [key, attribute] of Object.entries(schema).sort()) {
    if (ignore.includes(key) || equivalent(attribute, olds[key], planned[key])) continue;
    diffs.push(key);
    if (attribute.forceNew) replaces.push(key);
    for (const [path, change] of Object.entries(attributeDifferences(attribute, olds[key], planned[key], key))) {
      detailed[path] = attribute.forceNew ? `${change as "UPDATE"}_REPLACE` : change;
    }
  }
  const stables = Object.keys(schema)
    .filter((key) => schema[key]?.forceNew && !replaces.includes(key))
    .sort();
  return {
    diffs,
    replaces,
    stables,
    detailed,
    deleteBeforeReplace: replaces.length > 0 && keepsName(schema, olds, news),
  };
}

/** A replacement of the same name has to wait until the name is free. */
function keepsName(schema: Schema, olds: Properties, news: Properties): boolean {
  return Object.entries(schema).some(([key, { autoName }]) => {
    const automatic = Array.isArray(news.__defaults) && news.__defaults.includes(key);
    return autoName === true && !automatic && same(olds[key], news[key]);
  });
}

function attributeDifferences(attribute: Attribute, olds: Json | undefined, news: Json | undefined, path: string) {
  if (attribute.normalize !== undefined || !isObject(olds) || !isObject(news) || attribute.fields === undefined) {
    return differences(olds, news, path);
  }
  const changes: Record<string, PropertyChange> = {};
  for (const [key, field] of Object.entries(attribute.fields)) {
    const wanted = news[key] ?? field.default ?? (field.computed ? olds[key] : null);
    if (!equivalent(field, olds[key], wanted)) Object.assign(changes, differences(olds[key], wanted, `${path}.${key}`));
  }
  return changes;
}

/** What every property will be: given, by default, kept, made by the server (unknown), or nothing. */
function plan(schema: Schema, news: Properties, olds: Properties | undefined): Properties {
  const planned: Properties = {};
  for (const [key, attribute] of Object.entries(schema)) {
    const given = news[key] ?? attribute.default;
    if (given !== undefined && given !== null) {
      const value = isObject(given) && attribute.kind === "block" ? planBlock(attribute, given, olds?.[key]) : given;
      const old = olds?.[key];
      planned[key] = old !== undefined && equivalent(attribute, old, value) ? old : normal(attribute, value);
    } else if (olds !== undefined && (attribute.computed || attribute.output || isEmpty(olds[key]))) {
      planned[key] = olds[key] ?? null;
    } else {
      planned[key] = olds === undefined && (attribute.computed || attribute.output) ? UNKNOWN : null;
    }
  }
  return planned;
}

function planBlock(attribute: Attribute, given: Properties, old: Json | undefined): Properties {
  const { __defaults: _, ...values } = given;
  const before = isObject(old) ? old : {};
  return { ...before, ...values, ...Object.fromEntries(removedFields(attribute, before, values)) };
}

function removedFields({ fields = {} }: Attribute, before: Properties, values: Properties): [string, Json][] {
  return Object.keys(before)
    .filter((key) => values[key] === undefined && !fields[key]?.computed && !isEmpty(before[key]))
    .map((key) => [key, fields[key]?.default ?? null]);
}

function normal({ normalize }: Attribute, value: Json): Json {
  return normalize !== undefined && typeof value === "string" && !isUnknown(value) ? normalize(value) : value;
}

/** The plan with nothing in place of what only the server can know. */
function known(planned: Properties): Properties {
  return Object.fromEntries(Object.entries(planned).map(([key, value]) => [key, isUnknown(value) ? null : value]));
}

/** What the server answered, except that an empty collection that was never set stays "not given". */
function asPlanned(planned: Properties, state: Properties, old: Properties = {}): Properties {
  const entries = Object.entries(state).map(([key, value]): [string, Json] => {
    const emptyCollection = typeof value === "object" && isEmpty(value);
    return [key, emptyCollection && planned[key] === null && isEmpty(old[key]) ? null : value];
  });
  return Object.fromEntries(entries);
}

function outputs(resource: BridgedResource, state: Properties): Properties {
  const meta: Properties =
    resource.schemaVersion === undefined ? {} : { __meta: JSON.stringify({ schema_version: resource.schemaVersion }) };
  const values: Properties = { ...meta, ...markSecrets(resource.schema, state) };
  if (!hasUnknown(state)) values.__pulumi_raw_state_delta = rawStateDelta(resource, state);
  return values;
}

/** After an import: what a program would have to say to get this state. */
function importedInputs(schema: Schema, state: Properties): Properties {
  const inputs: Properties = { __defaults: [] };
  for (const [key, attribute] of Object.entries(schema)) {
    const value = state[key];
    if (attribute.output || value === undefined || isEmpty(value) || same(value, attribute.default)) continue;
    if (attribute.computed && !attribute.required) continue;
    inputs[key] = value;
  }
  return inputs;
}

/** After a refresh: the inputs as they were, with what has changed on the server. */
function refreshedInputs(schema: Schema, inputs: Properties, state: Properties): Properties {
  const refreshed: Properties = {};
  for (const [key, value] of Object.entries(inputs)) {
    const attribute = schema[key];
    if (key === "__defaults" ? !isEmpty(value) : attribute === undefined) refreshed[key] = value;
    else if (attribute !== undefined) {
      const now = equivalent(attribute, state[key], value) ? value : state[key];
      if (now !== null && now !== undefined) refreshed[key] = now;
    }
  }
  return refreshed;
}

import { randomBytes, randomInt } from "node:crypto";
import type { Provider, ResourceContext } from "./provider";
import { shuffled } from "./shuffled";
import { type Json, type Properties, plainProperties, same, secret, UNKNOWN } from "./values";

interface Kind {
  /** What a missing input means. */
  defaults: Properties;
  /** Inputs that stay absent when they are not given. */
  optional: string[];
  required: string[];
  computed: string[];
  secrets: string[];
  meta?: string;
  generate(inputs: Properties): Promise<{ id: string; outputs: Properties }>;
  /** The inputs and outputs of an imported id. */
  adopt(id: string): Promise<{ id: string; inputs: Properties; outputs: Properties }>;
}

/** The package `random`: values made once and kept in the state; any changed input makes a new one. */
export function randomProvider(): Provider {
  return {
    capabilities: { acceptResources: true, supportsAutonaming: true },
    checkConfig: (news) => news,
    configure: () => undefined,
    check: (context, _olds, news) => ({
      inputs: news,
      failures: kindOf(context)
        .required.filter((key) => news[key] === undefined)
        .map((property) => ({
          property,
          reason: `Missing required property '${property}' for the resource '${context.name}'`,
        })),
    }),
    diff: (context, olds, news, _oldInputs, ignore) => {
      const kind = kindOf(context);
      const planned = { ...kind.defaults, ...withAliases(news) };
      const keys = [...new Set([...Object.keys(kind.defaults), ...kind.optional, ...kind.required])].sort();
      const changed = keys.filter((key) => !ignore.includes(key) && !same(planned[key] ?? null, olds[key] ?? null));
      return { replaces: changed, diffs: changed };
    },
    create: async (context, raw) => {
      const kind = kindOf(context);
      const inputs = { ...kind.defaults, ...withAliases(plainProperties(raw)) };
      if (context.preview) {
        const unknown = Object.fromEntries(kind.computed.map((key) => [key, UNKNOWN]));
        return { id: "", properties: { ...inputs, ...unknown } };
      }
      const { id, outputs } = await kind.generate(inputs);
      return { id, properties: state(kind, { ...inputs, ...outputs }) };
    },
    read: async (context, id, olds, inputs) => {
      const kind = kindOf(context);
      if (olds !== undefined && Object.keys(olds).length > 0) {
        return { id, properties: state(kind, plainProperties(olds)), inputs: inputs ?? {} };
      }
      const adopted = await kind.adopt(id);
      const properties = state(kind, { ...kind.defaults, ...adopted.inputs, ...adopted.outputs });
      return { id: adopted.id, properties, inputs: adopted.inputs };
    },
    update: async (context, _id, olds) => state(kindOf(context), plainProperties(olds)),
    delete: async () => undefined,
  };
}

function kindOf({ type }: ResourceContext): Kind {
  const kind = kinds[type];
  if (kind === undefined) {
    throw new Error(`the offline plugin for random has no ${type}: it has ${Object.keys(kinds).join(", ")}`);
  }
  return kind;
}

/** `number` is the old name of `numeric`; both are outputs. */
function withAliases(inputs: Properties): Properties {
  const numeric = inputs.numeric ?? inputs.number;
  return numeric === undefined ? inputs : { ...inputs, numeric, number: numeric };
}

function state(kind: Kind, values: Properties): Properties {
  const { __pulumi_raw_state_delta: _, ...known } = values;
  const paths: Properties = {};
  for (const key of kind.optional) {
    if (known[key] === undefined) paths[key] = secret({ replace: { raw: null } });
    else if (key === "keepers") paths[key] = { map: {} };
  }
  for (const key of kind.secrets) known[key] = secret(known[key] ?? null);
  const meta: Properties = kind.meta === undefined ? {} : { __meta: kind.meta };
  const delta: Json = { obj: Object.keys(paths).length > 0 ? { ps: paths } : {} };
  return { ...meta, __pulumi_raw_state_delta: delta, ...known };
}

const kinds: Record<string, Kind> = {
  "random:index/randomPassword:RandomPassword": {
    required: ["length"],
    optional: ["keepers", "overrideSpecial"],
    defaults: {
      lower: true,
      upper: true,
      number: true,
      numeric: true,
      special: true,
      minLower: 0,
      minUpper: 0,
      minNumeric: 0,
      minSpecial: 0,
    },
    computed: ["bcryptHash", "id", "result"],
    secrets: ["bcryptHash", "result"],
    meta: JSON.stringify({ schema_version: "3" }),
    generate: async (inputs) => {
      const result = password(inputs);
      return { id: "none", outputs: { id: "none", result, bcryptHash: await bcrypt(result) } };
    },
    adopt: async (id) => ({
      id: "none",
      inputs: { length: [...id].length },
      outputs: { id: "none", result: id, bcryptHash: await bcrypt(id) },
    }),
  },
  "random:index/randomBytes:RandomBytes": {
    required: ["length"],
    optional: ["keepers"],
    defaults: {},
    computed: ["base64", "hex"],
    secrets: ["base64", "hex"],
    generate: async (inputs) => bytesOutputs(randomBytes(Number(inputs.length))),
    adopt: async (id) => {
      const bytes = Buffer.from(id, "base64");
      return { inputs: { length: bytes.length }, ...bytesOutputs(bytes) };
    },
  },
  "random:index/randomId:RandomId": {
    required: ["byteLength"],
    optional: ["keepers", "prefix"],
    defaults: {},
    computed: ["b64Std", "b64Url", "dec", "hex", "id"],
    secrets: [],
    generate: async (inputs) => idOutputs(randomBytes(Number(inputs.byteLength)), inputs.prefix),
    adopt: async (id) => {
      const [encoded, prefix] = id.split(",").reverse();
      const bytes = Buffer.from(encoded ?? "", "base64url");
      const inputs: Properties = { byteLength: bytes.length, ...(prefix === undefined ? {} : { prefix }) };
      return { inputs, ...idOutputs(bytes, prefix) };
    },
  },
};

function bytesOutputs(bytes: Buffer) {
  const base64 = bytes.toString("base64");
  return { id: base64, outputs: { base64, hex: bytes.toString("hex") } };
}

function idOutputs(bytes: Buffer, prefix: Json | undefined) {
  const front = typeof prefix === "string" ? prefix : "";
  const id = bytes.toString("base64url");
  const hex = bytes.toString("hex");
  const outputs: Properties = {
    id,
    b64Std: front + bytes.toString("base64"),
    b64Url: front + id,
    dec: front + BigInt(`0x${hex || "0"}`).toString(),
    hex: front + hex,
  };
  return { id, outputs };
}

/** The required number of each class, the rest from all that are allowed, in random order. */
function password(inputs: Properties): string {
  const special = typeof inputs.overrideSpecial === "string" ? inputs.overrideSpecial : "!@#$%&*()-_=+[]{}<>:?";
  const classes = [
    { allowed: inputs.lower, least: inputs.minLower, characters: "abcdefghijklmnopqrstuvwxyz" },
    { allowed: inputs.upper, least: inputs.minUpper, characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
    { allowed: inputs.numeric, least: inputs.minNumeric, characters: "0123456789" },
    { allowed: inputs.special, least: inputs.minSpecial, characters: special },
  ];
  const length = Number(inputs.length);
  const picked = classes.flatMap(({ least, characters }) => pick(characters, Number(least)));
  if (length < Math.max(1, picked.length)) {
    throw new Error(`length must be at least the sum of the minimums (${picked.length}) and 1, found ${length}`);
  }
  const all = classes.map(({ allowed, characters }) => (allowed === true ? characters : "")).join("");
  if (all === "") throw new Error("at least one of lower, upper, numeric and special must be true");
  return shuffled([...picked, ...pick(all, length - picked.length)]).join("");
}

function pick(characters: string, count: number): string[] {
  return Array.from({ length: count }, () => characters.charAt(randomInt(characters.length)));
}

async function bcrypt(password: string): Promise<string> {
  const { default: hasher } = await import("bcryptjs");
  // The algorithm reads no more than 72 bytes.
  const hash = await hasher.hash(Buffer.from(password).subarray(0, 72).toString(), 10);
  // Two names of one algorithm; Go writes the older.
  return hash.replace(/^\$2b/, "$2a");
}

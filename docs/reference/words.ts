import type * as z from "zod";
import { formatDuration } from "../../core/duration";
import { duration } from "../../core/schema-parts";
import { partsOf } from "../../core/secret-fields";

type Schema = z.core.$ZodType;

const defOf = (schema: Schema) => (schema as z.core.$ZodTypes)._zod.def;

const { in: written } = duration._zod.def;

/** Whether it is a text such as `90d`, which the config keeps in milliseconds. */
const isDuration = (schema: Schema): boolean => {
  const def = defOf(schema);
  return def.type === "pipe" && (def.in === written || isDuration(def.in));
};

/** What the schema itself says that it expects; undefined if it says nothing of its own. */
function expected({ _zod: { def } }: Schema): string | undefined {
  const said = def.error?.({
    code: "invalid_type",
    expected: "string",
    input: undefined,
    path: [],
    message: "",
  } as never);
  const message = typeof said === "string" ? said : said?.message;
  return message?.replace(/^expected (an? )?/, "").replace(/, found .*/, "");
}

/** The type of a value, in the words of a YAML author. */
export function typeOf(schema: Schema): string {
  if (isDuration(schema)) return "duration (`90d`, `24h`, `30m`, `45s`)";
  const def = defOf(schema);
  switch (def.type) {
    case "pipe":
      return typeOf(defOf(def.in).type === "transform" ? def.out : def.in);
    case "string":
      return expected(schema) ?? ("format" in def && def.format === "datetime" ? "time, ISO 8601" : "text");
    case "number":
      return numbers(schema as z.ZodNumber);
    case "boolean":
      return "true or false";
    case "enum":
      return Object.values(def.entries).map(code).join(", ");
    case "literal":
      return def.values.map(code).join(", ");
    case "array":
      return `list: ${typeOf(def.element)}`;
    case "record":
      return `object by name: ${typeOf(def.valueType)}`;
    case "union":
      return [...new Set(def.options.map(typeOf))].join(", or ");
    default: {
      const [inner] = partsOf(schema).same;
      return inner === undefined ? (def.type === "custom" ? "JSON" : def.type) : typeOf(inner);
    }
  }
}

function numbers({ minValue, maxValue, isInt }: z.ZodNumber): string {
  const least = minValue === null || minValue <= Number.MIN_SAFE_INTEGER ? "" : `from ${minValue}`;
  const most = maxValue === null || maxValue >= Number.MAX_SAFE_INTEGER ? "" : `to ${maxValue}`;
  return [isInt ? "whole number" : "number", least, most].filter((part) => part !== "").join(" ");
}

/** The default if the key is left out; undefined if it must not be. */
export function defaultOf(schema: Schema): string | undefined {
  const def = defOf(schema);
  if (def.type === "default" || def.type === "prefault") {
    const value: unknown = def.defaultValue;
    if (typeof value === "number" && isDuration(def.innerType)) return code(formatDuration(value));
    return typeof value === "object" ? "" : code(value);
  }
  if ("innerType" in def)
    return defaultOf(def.innerType as Schema) ?? (schema._zod.optin === "optional" ? "" : undefined);
  if (def.type === "pipe") return defaultOf(def.in);
  return schema._zod.optin === "optional" ? "" : undefined;
}

const code = (value: unknown) => `\`${String(value)}\``;

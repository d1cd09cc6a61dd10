import { randomBytes } from "node:crypto";
import { differences } from "./paths";
import type { Provider, ResourceContext } from "./provider";
import { runLocal } from "./run-local";
import { isObject, type Json, type Properties, plainProperties, UNKNOWN } from "./values";

const local = "command:local:Command";

/** The package `command`: runs a shell command here when a resource is created, updated or deleted. */
export function commandProvider(): Provider {
  return {
    capabilities: { acceptSecrets: true, acceptResources: true, acceptOutputs: true },
    checkConfig: (news) => ({ "__pulumi-go-provider-version": "1.2.0", ...news }),
    configure: () => undefined,
    check: (context, _olds, news) => check(context, news),
    diff: (_context, _olds, news, oldInputs, ignore) => {
      const before = plainProperties(oldInputs);
      const after = plainProperties(news);
      const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
      const detailed = Object.assign(
        {},
        ...keys.filter((key) => !ignore.includes(key)).map((key) => differences(before[key], after[key], key)),
      );
      const diffs = [...new Set(Object.keys(detailed).map((path) => path.split(/[.[]/)[0] as string))];
      return { diffs, detailed };
    },
    create: async (context, inputs) => {
      const id = `${context.name}${randomBytes(4).toString("hex")}`;
      return { id, properties: await act(context, inputs, undefined, ["create"]) };
    },
    update: async (context, _id, olds, news) => act(context, news, olds, ["update", "create"]),
    delete: async (context, _id, state) => {
      await act(context, state, state, ["delete"]);
    },
    read: async (_context, id, state, inputs) => {
      if (state === undefined || Object.keys(state).length === 0) {
        throw new Error("a command cannot be imported: it exists only in the state");
      }
      return { id, properties: state, inputs: inputs ?? {} };
    },
  };
}

/** A remote command of an earlier version of this program can only be forgotten. */
function check({ type }: ResourceContext, news: Properties): ReturnType<Provider["check"]> {
  if (type !== local) throw new Error(`the offline plugin for command has no ${type}: it has ${local}`);
  return { inputs: { ...news } };
}

/** Runs the first of the scripts that the inputs have, and returns the new outputs. */
async function act(
  context: ResourceContext,
  inputs: Properties,
  olds: Properties | undefined,
  scripts: string[],
): Promise<Properties> {
  if (context.preview) return { ...inputs, stderr: UNKNOWN, stdout: UNKNOWN };
  const values = plainProperties(inputs);
  const script = scripts.map((key) => values[key]).find((value) => typeof value === "string");
  // An output that the program calls a secret comes wrapped.
  const last = plainProperties(olds ?? {});
  const before = { stdout: text(last.stdout), stderr: text(last.stderr) };
  if (typeof script !== "string") return { ...inputs, ...before };

  const previous = values.addPreviousOutputInEnv === false || olds === undefined ? {} : previousOutput(before);
  const request = { script, values, environment: { ...environment(values.environment), ...previous }, context };
  const result = await runLocal(request);
  if (result.failure !== undefined) {
    throw new Error(`${result.failure}: running ${quoted(script)}:\n${result.combined}`);
  }
  return { ...inputs, stdout: trimmed(result.stdout), stderr: trimmed(result.stderr) };
}

/** What the script finds of the output before: a variable for a stream that had any. */
function previousOutput({ stdout, stderr }: { stdout: string; stderr: string }): Record<string, string> {
  return {
    ...(stdout === "" ? {} : { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr === "" ? {} : { PULUMI_COMMAND_STDERR: stderr }),
  };
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function environment(value: Json | undefined): Record<string, string> {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)])) : {};
}

function trimmed(output: string): string {
  return output.endsWith("\n") ? output.slice(0, -1) : output;
}

const escapes: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
};

/** As Go's %q prints a string: that is how the real plugin shows the script. */
function quoted(script: string): string {
  const body = [...script].map(
    (char) => escapes[char] ?? (char < " " ? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}` : char),
  );
  return `"${body.join("")}"`;
}

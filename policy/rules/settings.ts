import type { ReportViolation, StackValidationArgs, StackValidationPolicy } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import ms from "ms";

/** What a secret's policy says, in milliseconds; `undefined` if a text is no duration. */
interface Durations {
  readonly secret: string;
  readonly maxAge: number | undefined;
  readonly gracePeriod: number | undefined;
}

/** The program's own defaults. */
const DEFAULTS = { maxAge: "90d", gracePeriod: "24h" };

type Texts = Partial<Record<keyof typeof DEFAULTS, string>>;

/** The durations of every secret, from the stack's config as the engine passes it to a policy pack. */
export function durationsOf(config: pulumi.Config): Durations[] {
  const stack = config.getObject<Texts>("policy") ?? {};
  const secrets = config.getObject<{ name?: string; kind?: string; policy?: Texts }[]>("secrets");
  if (secrets === undefined) throw new Error("the config of this stack has no secret-rotation:secrets");
  return secrets.map(({ name, kind, policy = {} }) => {
    const texts = { ...DEFAULTS, ...stack, ...policy };
    return { secret: name ?? kind ?? "a secret", maxAge: inMs(texts.maxAge), gracePeriod: inMs(texts.gracePeriod) };
  });
}

const inMs = (text: string): number | undefined => ms(text as ms.StringValue);

/** A rule about every secret's settings; a security team may make `limit` stricter in the pack's own config. */
function settingsRule(
  name: string,
  description: string,
  limit: { readonly key: string; readonly default: string },
  wrong: (durations: Durations, limit: string) => string | undefined,
): StackValidationPolicy {
  return {
    name,
    description,
    configSchema: {
      properties: { [limit.key]: { type: "string", default: limit.default, pattern: "^[0-9]+(ms|s|m|h|d)$" } },
    },
    validateStack: (args: StackValidationArgs, report: ReportViolation) => {
      if (!args.resources.some(({ type }) => type.startsWith("secret-rotation:"))) return;
      const settings = args.getConfig<Record<string, string>>();
      for (const durations of durationsOf(new pulumi.Config("secret-rotation"))) {
        const message = wrong(durations, settings[limit.key] ?? limit.default);
        if (message !== undefined) report(`${durations.secret}: ${message}`);
      }
    },
  };
}

export const maxAge = settingsRule(
  "max-age",
  "A secret is rotated before it is 90 days old (PCI DSS 3.6.4 as the runbook cites it).",
  { key: "maxAge", default: "90d" },
  ({ maxAge: found }, limit) =>
    found !== undefined && found > 0 && found <= (inMs(limit) ?? 0)
      ? undefined
      : `expected policy.maxAge of at most ${limit}, found ${found === undefined ? "no duration" : ms(found)}`,
);

export const gracePeriod = settingsRule(
  "grace-period",
  "The previous credential stays valid for a grace period, so that a rollback and a service that caches it work.",
  { key: "atLeast", default: "1h" },
  ({ gracePeriod: found }, limit) =>
    found !== undefined && found >= (inMs(limit) ?? 0)
      ? undefined
      : `expected policy.gracePeriod of at least ${limit}, found ${found === undefined ? "no duration" : ms(found)}`,
);

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../../../config";
import { schema } from "../../../config/schema";
import { leaksIn } from "../leaks/forms";
import { MARK } from "../leaks/marked";

const KEYS = Object.keys(schema.shape);

/** Words that mean something somewhere in the config. */
const words = fc.constantFrom(
  ...[
    "database/password",
    "alpaca/api_key",
    "current",
    "previous",
    "label",
    "keyId",
    "secretKey",
    "slackWebhook",
    "email",
  ],
  ...[
    "host",
    "port",
    "password",
    "kind",
    "name",
    "postgres-password",
    "alpaca-key",
    "vault",
    "90d",
    "trading-1",
    "__proto__",
  ],
);

/** Any JSON, out of the config's own words as often as not, with these texts among its leaves and keys. */
function json(leaves: fc.Arbitrary<unknown>, keys: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaves,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
    ),
  }));
  return value;
}

const plain = fc.oneof(words, fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const anything = json(plain, fc.oneof(words, fc.string()));

/** As Pulumi hands it over. */
const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

function messageOf(settings: Record<string, unknown>): string | undefined {
  const raw = Object.entries(settings).map(([key, value]) => [`secret-rotation:${key}`, textOf(value)]);
  try {
    parseConfig(Object.fromEntries(raw), "paper");
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

describe("any config at all", () => {
  it("is refused with a ConfigError that names what is wrong, or taken", () => {
    const settings = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), anything, { maxKeys: 8 });
    fc.assert(
      fc.property(settings, (given) => {
        const message = messageOf(given);
        if (message !== undefined) expect(message).toMatch(/wrong in the config of stack paper:\n {2}secret-rotation:/);
      }),
      { numRuns: 500 },
    );
  });

  it("never repeats what is under a key of secrets, in whatever shape it stands there", () => {
    const secret = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `${MARK}${text}`);
    const hidden = json(fc.oneof(secret, plain), fc.oneof(words, secret));
    const settings = fc.record(
      {
        adopted: hidden,
        alpacaKeys: hidden,
        connectionPasswords: hidden,
        sshPrivateKey: hidden,
        notify: hidden,
        secrets: anything,
        services: anything,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(settings, (given) => {
        expect(leaksIn(messageOf(given) ?? "", { "a secret": MARK })).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

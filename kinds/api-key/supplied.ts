import { scryptSync } from "node:crypto";
import type { ApiKeyConfig } from "../../config";
import { fieldPath } from "../issuer/checks";
import { connectIssuer } from "../issuer/connect";
import type { KeyTerms, SuppliedKey, SuppliedKind } from "../issuer/supplied-kind";
import { suppliedRollbackRefused } from "../issuer/verify-key";
import { referenceOf } from "./reference";
import { hostOf } from "./schema";

const terms = ({ name }: Pick<ApiKeyConfig, "name">): KeyTerms => ({
  noun: "key",
  value: "value",
  configKey: "apiKeys",
  supply: {
    make: "Make a new key, label it with today's date",
    noun: "key",
    one: "key",
    command: `rotation key add ${name}`,
  },
  labelIt: "Label it with today's date.",
  seesEnd:
    "delete it at its issuer after its grace period, then run `pulumi up`, which checks that the issuer refuses it",
  forget: `rotation key forget ${name}`,
});

/** Keys of any issuer that is asked over HTTP. */
export const apiKeys: SuppliedKind<ApiKeyConfig> = {
  kind: "api-key",
  fields: ({ fields }) => fields,
  pathOf: fieldPath,
  question: ({ verify }, { label }) => `${verify.request.split(" ")[0]} ${hostOf(verify)} with ${label}`,
  differs: (secret, key, { check }) => (check === checkOf(secret, key) ? undefined : { expected: "", found: "" }),
  shown: ({ label }) => label,
  isSame: (one, other) => Object.keys(one).every((field) => one[field] === other[field]),
  written: (key) => key,
  keysIn: (config, { name }) => config.apiKeys[name],
  verify: (_config, secret, values, patience) => connectIssuer(referenceOf(secret)).verify(values, patience),
  terms,
  words(_config, secret) {
    const { name, dashboard, verify } = secret;
    const host = hostOf(verify);
    const page = dashboard ?? `the pages of ${host}`;
    const own = terms(secret);
    return {
      ...own,
      issuer: host,
      make: `Only you can make a new one: ${page} (keep the old one)`,
      where: `on ${page}`,
      end: (label) => `Delete ${label}: ${page}. The next update confirms that it is refused.`,
      add: `key add ${name}`,
      rollbackRefused: ({ label }) => suppliedRollbackRefused(label, `${host} refuses it`, own.supply.command),
    };
  },
};

/**
 * 16 bits that tell a key from another one under the same label, for an operator's mistake. Too few to confirm a guess: of a
 * list of guesses, every 65,536th fits.
 */
export const checkOf = ({ fields }: Pick<ApiKeyConfig, "fields">, { label, values }: SuppliedKey): string =>
  scryptSync(JSON.stringify(fields.map((field) => values[field])), label, 2).toString("hex");

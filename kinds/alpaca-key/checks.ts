import type { ConfigPart, Placed } from "../../core/config-part";
import { documentProblems, documentShape, keyPaths } from "../../core/document-settings";
import { oneOf, type Problem, unknown } from "../../core/problem";
import type { OfKind } from "../../core/traits";
import {
  ALPACA_NAME,
  type AlpacaConfig,
  type AlpacaKeyConfig,
  alpacaKey as alpacaKeySchema,
  type KeyPairs,
  PAIR_DOCUMENT,
} from "./schema";
import { alpacaKey } from "./traits";

/** The part of the config that the checks read. */
export interface Checked {
  readonly environment: string;
  readonly alpaca?: AlpacaConfig | undefined;
  readonly alpacaKeys: Readonly<Record<string, KeyPairs>>;
  readonly adopted: object;
  readonly services: object;
  readonly secrets: readonly (OfKind & { readonly name: string })[];
}

/** Alpaca's key pairs in the config. */
export const alpacaKeyInConfig: ConfigPart<AlpacaKeyConfig, Checked> = {
  traits: alpacaKey,
  schema: alpacaKeySchema,
  defaultName: ALPACA_NAME,
  paths: (secret) =>
    keyPaths(secret, [
      { path: secret.keyIdPath, setBy: "keyIdPath" },
      { path: secret.secretKeyPath, setBy: "secretKeyPath" },
    ]),
  documents: (secret) => {
    const shape = documentShape(secret, PAIR_DOCUMENT);
    return shape === undefined ? [] : [shape];
  },
  addresses: () => [],
  check: keyChecks,
  checksTogether: [nameChecks, mixUpChecks],
};

/** Pairs that belong to no secret. */
function nameChecks({ secrets, alpacaKeys }: Checked): Problem[] {
  const names = secrets.filter(({ kind }) => kind === "alpaca-key").map(({ name }) => name);
  const strange = Object.keys(alpacaKeys).filter((name) => !names.includes(name));
  return strange.map((name) => ({
    path: ["alpacaKeys", name],
    message: `expected the name of a secret of kind alpaca-key (${oneOf(names)}), found another`,
  }));
}

function keyChecks(config: Checked, { index, secret }: Placed<AlpacaKeyConfig>): Problem[] {
  const { name, dryRun } = secret;
  const problems: Problem[] = [];
  if (config.alpaca === undefined) {
    const message = `expected { baseUrl }, to prove the pairs of ${name} with, found nothing`;
    problems.push({ path: ["alpaca"], message });
  }
  if (!Object.hasOwn(config.alpacaKeys, name)) {
    const message =
      "expected the pair in use, found nothing: `rotation alpaca add-key`, or `pulumi config set --secret --path " +
      `'alpacaKeys["${name}"].current.keyId'\`, then secretKey and label`;
    problems.push({ path: ["alpacaKeys", name], message });
  }
  if (dryRun !== undefined && !Object.hasOwn(config.services, dryRun.service)) {
    const message = unknown(dryRun.service, "services", config.services);
    problems.push({ path: ["secrets", index, "dryRun", "service"], message });
  }
  if (Object.hasOwn(config.adopted, name)) {
    problems.push({ path: ["adopted", name], message: "expected nothing, since its pairs are in alpacaKeys" });
  }
  return [...problems, ...documentProblems(index, secret, PAIR_DOCUMENT)];
}

/** The one mix-up of paper and live that is visible in the config; Alpaca's answers show the others. */
function mixUpChecks({ environment, alpaca }: Checked): Problem[] {
  if (alpaca === undefined) return [];
  const expected = { prod: "https://api.alpaca.markets", paper: "https://paper-api.alpaca.markets" }[environment];
  const others = ["api.alpaca.markets", "paper-api.alpaca.markets"].filter((host) => expected !== `https://${host}`);
  if (expected === undefined || !others.includes(new URL(alpaca.baseUrl).hostname)) return [];
  const message = `expected ${expected} in the environment ${environment}, found ${alpaca.baseUrl}`;
  return [{ path: ["alpaca", "baseUrl"], message }];
}

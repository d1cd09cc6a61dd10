import { AlpacaUnavailableError, askAccount } from "../../clients/alpaca";
import type { AlpacaKeyConfig, Config, KeyPair } from "../../config";
import { lastFour } from "../../core/key-label";
import type { Values } from "../issuer/issuer";
import type { IssuerWords, KeysConfig, KeyTerms, SuppliedKey, SuppliedKind } from "../issuer/supplied-kind";
import { type AlpacaPlaces, alpacaPlaces } from "./places";
import { type Pair, pairName, rollbackRefused } from "./verify";

/** The addresses of the environment's Alpaca. */
export function placesOf({ alpaca, environment }: Pick<Config, "alpaca" | "environment">): AlpacaPlaces {
  if (alpaca === undefined) throw new Error("crossChecks must have asked for `alpaca`");
  return alpacaPlaces(alpaca, environment);
}

/** A pair of the config as a key of any issuer. */
export const keyOf = ({ label, keyId, secretKey }: KeyPair): SuppliedKey => ({ label, values: { keyId, secretKey } });

/** A key as the pair that Alpaca's client takes. */
export const pairOf = ({ label, values: { keyId = "", secretKey = "" } }: SuppliedKey): Pair => ({
  label,
  keyId,
  secretKey,
});

const terms: KeyTerms = {
  noun: "pair",
  value: "pair",
  configKey: "alpacaKeys",
  supply: {
    make: "Create a key on Alpaca's dashboard, label it with today's date",
    noun: "key pair",
    one: "pair",
    command: "rotation alpaca add-key",
  },
  labelIt: "Label the key on the dashboard with today's date.",
  seesEnd:
    "delete it on the dashboard after its grace period, then run `pulumi up`, which checks that Alpaca refuses it",
  forget: "rotation alpaca forget-key",
};

/** What messages of this environment's Alpaca call things. */
export const alpacaWords = (places: AlpacaPlaces, secret: string): IssuerWords => ({
  ...terms,
  issuer: "Alpaca",
  make: `Alpaca lets only you make a new one: ${places.dashboard} → API Keys → Generate New Key (keep the old one)`,
  where: "on the dashboard",
  end: (label) => `Delete it: ${places.dashboard} → API Keys → Delete on ${label}. The next update confirms the 401.`,
  add: `alpaca add-key --secret ${secret}`,
  rollbackRefused: (key) => rollbackRefused(places, pairOf(key)),
});

/** Alpaca's key pairs: what differs from the keys of other issuers. */
export const alpacaPairs: SuppliedKind<AlpacaKeyConfig> = {
  kind: "alpaca-key",
  fields: () => ["keyId", "secretKey"],
  pathOf: ({ keyIdPath, secretKeyPath }, field) => (field === "keyId" ? keyIdPath : secretKeyPath),
  question: (_secret, { label, values }) => `GET /v2/account with ${label} (key ...${values.keyId?.slice(-4)})`,
  differs: (_secret, { values }, { keyId }) => {
    const own = lastFour(values.keyId ?? "");
    return own === keyId ? undefined : { expected: ` (key id ${keyId})`, found: ` (${own})` };
  },
  shown: (key) => pairName(pairOf(key)),
  isSame: (one, other) => one.keyId === other.keyId || one.secretKey === other.secretKey,
  written: pairOf,
  keysIn({ alpacaKeys }, { name }) {
    const pairs = alpacaKeys[name];
    if (pairs === undefined) return undefined;
    const { current, previous } = pairs;
    return { current: keyOf(current), ...(previous === undefined ? {} : { previous: keyOf(previous) }) };
  },
  verify: (config, _secret, values, patience) => verify(config, values, patience),
  terms: () => terms,
  words: (config, { name }) => alpacaWords(placesOf(config), name),
};

async function verify(
  config: KeysConfig,
  { keyId = "", secretKey = "" }: Values,
  patience: Parameters<SuppliedKind<AlpacaKeyConfig>["verify"]>[3],
): ReturnType<SuppliedKind<AlpacaKeyConfig>["verify"]> {
  if (config.alpaca === undefined) throw new Error("the config key `alpaca` is not set");
  try {
    const { status } = await askAccount(placesOf(config).baseUrl, { keyId, secretKey }, patience);
    const evidence = `Alpaca answers ${status}`;
    if (status === 200) return { answer: "works", evidence };
    return status === 401 ? { answer: "refused", evidence } : { answer: "unknown", evidence, answered: true };
  } catch (error) {
    if (error instanceof AlpacaUnavailableError) return { answer: "unknown", evidence: error.message };
    throw error;
  }
}

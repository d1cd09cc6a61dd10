import { askAccount } from "../../clients/alpaca";
import { seen } from "../../components/seen";
import { stored } from "../../components/stored-values";
import type { AlpacaKeyConfig, Config } from "../../config";
import { documentPath, hasDocument } from "../../core/document-settings";
import { textAt } from "../../stores/entries";
import type { LoginSeen } from "../kind-operations";
import { alpacaPlaces } from "./places";

type Halves = Readonly<Record<"keyId" | "secretKey", string>>;

/** Alpaca's answer to a pair: 200, 401 or 403. @throws AlpacaUnavailableError */
export async function askAlpaca({ alpaca, environment }: Config, pair: Halves): Promise<number> {
  if (alpaca === undefined) throw new Error("the config key `alpaca` is not set");
  const { baseUrl } = alpacaPlaces(alpaca, environment);
  return (await askAccount(baseUrl, pair, { limit: 10_000, timeout: 5000 })).status;
}

/** Whether Alpaca takes a pair. Never throws. */
export const seePair = (config: Config, pair: Halves): Promise<LoginSeen["answer"]> =>
  seen(async () => ((await askAlpaca(config, pair)) === 200 ? "works" : "refused"));

/** The pair that the store holds; from the document if there is one. Undefined if a path is empty. */
export async function storedPair(config: Config, secret: AlpacaKeyConfig) {
  const keys = hasDocument(secret) ? { keyId: "keyId", secretKey: "secretKey", ...secret.keys } : undefined;
  const [keyIdPath, secretKeyPath] =
    keys === undefined ? [secret.keyIdPath, secret.secretKeyPath] : [documentPath(secret), documentPath(secret)];
  const [one, two] = await Promise.all([stored(config, keyIdPath), stored(config, secretKeyPath)]);
  if (one === undefined || two === undefined) return undefined;
  return {
    pair: { keyId: textAt(one, keys?.keyId), secretKey: textAt(two, keys?.secretKey) },
    versions:
      keys === undefined
        ? `${keyIdPath} has version ${one.version}, ${secretKeyPath} version ${two.version}`
        : `${keyIdPath} has version ${one.version}`,
  };
}

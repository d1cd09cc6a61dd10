import { askAccount } from "../../clients/alpaca";
import { seen } from "../../components/seen";
import { stored } from "../../components/stored-values";
import type { AlpacaKeyConfig, Config } from "../../config";
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

/** The pair that the store holds. */
export async function storedPair(config: Config, secret: AlpacaKeyConfig) {
  const [keyId, secretKey] = await Promise.all([
    stored(config, secret.keyIdPath),
    stored(config, secret.secretKeyPath),
  ]);
  return keyId === undefined || secretKey === undefined ? undefined : { keyId, secretKey };
}

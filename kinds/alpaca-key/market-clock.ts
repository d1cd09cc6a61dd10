import type { MarketClock } from "../../components/preflight-input";
import type { Config } from "../../config";
import { documentPath, hasValues } from "../../core/document-settings";

/** Alpaca's clock, queried with the stored pair of the first key in the config. */
export function marketClock({ alpaca, secrets }: Pick<Config, "alpaca" | "secrets">): MarketClock | undefined {
  if (alpaca === undefined) return undefined;
  const key = secrets.find((secret) => secret.kind === "alpaca-key");
  if (key !== undefined && !hasValues(key)) {
    const path = documentPath(key);
    const keys = [key.keys?.keyId ?? "keyId", key.keys?.secretKey ?? "secretKey"] as const;
    return { baseUrl: alpaca.baseUrl, keyIdPath: path, secretKeyPath: path, keys };
  }
  return {
    baseUrl: alpaca.baseUrl,
    keyIdPath: key?.keyIdPath ?? "alpaca/api_key_id",
    secretKeyPath: key?.secretKeyPath ?? "alpaca/api_secret_key",
  };
}

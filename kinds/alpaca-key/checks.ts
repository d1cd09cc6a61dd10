import { oneOf } from "../../config/messages";
import { type Problem, unknown } from "../../config/problem";
import type { AlpacaKeyConfig, Config } from "../../config/schema";

/** What ties Alpaca's key pairs, their secrets and the API together. */
export function alpacaChecks(config: Config): Problem[] {
  const secrets = [...config.secrets.entries()].flatMap(([index, secret]) =>
    secret.kind === "alpaca-key" ? [{ index, secret }] : [],
  );
  const names = secrets.map(({ secret }) => secret.name);
  const strange = Object.keys(config.alpacaKeys).filter((name) => !names.includes(name));
  return [
    ...secrets.flatMap(({ index, secret }) => keyChecks(config, secret, index)),
    ...strange.map((name) => ({
      path: ["alpacaKeys", name],
      message: `expected the name of a secret of kind alpaca-key (${oneOf(names)}), found another`,
    })),
  ];
}

function keyChecks(config: Config, secret: AlpacaKeyConfig, index: number): Problem[] {
  const { name, dryRun } = secret;
  const problems: Problem[] = [];
  if (config.alpaca === undefined) {
    const message = `expected { baseUrl }, to prove the pairs of ${name} with, found nothing`;
    problems.push({ path: ["alpaca"], message });
  }
  if (!Object.hasOwn(config.alpacaKeys, name)) {
    const message =
      "expected the pair in use, found nothing: `rotation alpaca add-key`, or pulumi config set --secret --path " +
      `'alpacaKeys["${name}"].current.keyId', then secretKey and label`;
    problems.push({ path: ["alpacaKeys", name], message });
  }
  if (dryRun !== undefined && !Object.hasOwn(config.services, dryRun.service)) {
    const message = unknown(dryRun.service, "services", config.services);
    problems.push({ path: ["secrets", index, "dryRun", "service"], message });
  }
  if (Object.hasOwn(config.adopted, name)) {
    problems.push({ path: ["adopted", name], message: "expected nothing, since its pairs stand in alpacaKeys" });
  }
  return problems;
}

/** The one mix-up of paper and live that the config alone shows; the rest is proven by what Alpaca answers. */
export function mixUpChecks({ environment, alpaca }: Config): Problem[] {
  if (alpaca === undefined) return [];
  const expected = { prod: "https://api.alpaca.markets", paper: "https://paper-api.alpaca.markets" }[environment];
  const others = ["api.alpaca.markets", "paper-api.alpaca.markets"].filter((host) => expected !== `https://${host}`);
  if (expected === undefined || !others.includes(new URL(alpaca.baseUrl).hostname)) return [];
  const message = `expected ${expected} in the environment ${environment}, found ${alpaca.baseUrl}`;
  return [{ path: ["alpaca", "baseUrl"], message }];
}

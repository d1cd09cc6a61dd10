import { askHealth, placesOf, restartPlaces } from "../../components/places";
import { restartCommand } from "../../components/restart-command";
import type { VaultDynamicConfig } from "../../config";
import { messageOf } from "../../core/errors";
import type { SecretState } from "../../core/state";
import type { About, Finding, StackView } from "../kind-operations";
import { noAnswer, roleGone } from "../vault-engine/findings";
import { leasePath, leasesOf, roleInVault, rolePath } from "./facts";

/** A service that can get no login: its role or its lease is gone. Also that Vault cannot be queried. */
export async function leaseFindings(
  stack: StackView,
  secret: VaultDynamicConfig,
  _state: SecretState,
  about: About,
): Promise<Finding[]> {
  try {
    const found = secret.restart.map((service) => lookAt(stack, secret, service, about));
    return (await Promise.all(found)).flat();
  } catch (error) {
    return [noAnswer(error, about)];
  }
}

async function lookAt(stack: StackView, secret: VaultDynamicConfig, service: string, about: About): Promise<Finding[]> {
  const { config } = stack;
  const path = leasePath(secret, service);
  if ((await roleInVault(config, secret, service)) === undefined)
    return [{ ...roleGone(stack, rolePath(secret, service), service, about), service }];
  if ((await leasesOf(config, secret, service)).length > 0) return [];
  const described = config.services[service];
  if (described === undefined) return [];
  const places = placesOf(config, { restart: [service] });
  const health = await Promise.all(
    places.map((place) => askHealth(config, place).then(({ answer }) => answer, messageOf)),
  );
  return [
    about({
      service,
      cause: `${service} holds no lease of Vault: it was revoked, or ran out and was not renewed`,
      evidence: `Vault has no lease at ${path}; /health says ${health.join(", ").trim().slice(0, 200) || "nothing"}`,
      command: restartCommand(service, described),
      hint: `it then fetches a new login; if not, its token may not read ${path}`,
      fix: () => restartPlaces(config, places),
    }),
  ];
}

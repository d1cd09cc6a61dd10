import { restartCommand } from "../../../components/restart-command";
import { isLeased, type VaultDynamicConfig, type VaultPasswordConfig, type VaultStaticConfig } from "../../../config";
import { messageOf } from "../../../core/errors";
import type { SecretState } from "../../../core/state";
import type { Stack } from "../facts";
import * as facts from "../facts";
import { leasePath, leasesOf, roleInVault } from "../lease-facts";
import { issuedLogin, lastRotation, unseenRotation } from "../vault-facts";
import { type About, commandOf, type Finding } from "./finding";
import { finish, restartPlaces } from "./mend";

/** What is wrong with a secret that Vault makes, each with one clear message; also that Vault cannot be asked. */
export async function vaultFindings(
  stack: Stack,
  secret: VaultPasswordConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  try {
    return isLeased(secret)
      ? (await Promise.all(secret.restart.map((service) => leaseFindings(stack, secret, service, about)))).flat()
      : await rotationFindings(stack, secret as VaultStaticConfig, state, about);
  } catch (error) {
    return [about({ cause: "Vault cannot be asked", evidence: messageOf(error), command: "vault status" })];
  }
}

/** A lease that is lost, or a role that somebody removed: the service can get no login. */
async function leaseFindings(
  stack: Stack,
  secret: VaultDynamicConfig,
  service: string,
  about: About,
): Promise<Finding[]> {
  const { config } = stack;
  const path = leasePath(secret, service);
  if ((await roleInVault(config, secret, service)) === undefined)
    return [{ ...roleGone(stack, path, service, about), service }];
  if ((await leasesOf(config, secret, service)).length > 0) return [];
  const described = config.services[service];
  if (described === undefined) return [];
  const places = facts.placesOf(config, { restart: [service] });
  const health = await Promise.all(
    places.map((place) => facts.askHealth(config, place).then(({ answer }) => answer, messageOf)),
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

const roleGone = (stack: Stack, path: string, service: string, about: About): Finding =>
  about({
    cause: `Vault has no role for ${service} any more`,
    evidence: `nothing at ${path.replace("/creds/", "/roles/").replace("/static-creds/", "/static-roles/")}`,
    command: `pulumi up --refresh --stack ${stack.project.stack}`,
    hint: "makes it again; find out who removed it",
  });

async function rotationFindings(
  stack: Stack,
  secret: VaultStaticConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { config } = stack;
  if ((await lastRotation(config, secret)) === undefined)
    return [roleGone(stack, `${secret.vault.mount}/static-creds/${secret.staticRole}`, secret.role, about)];
  const unseen = await unseenRotation(config, secret, state);
  const { ttl } = await issuedLogin(config, secret);
  if (unseen === undefined) return [];
  return [
    about({
      cause: "Vault rotated the password, and the services were not restarted since",
      evidence: `last_vault_rotation ${unseen}, ttl ${ttl} s; known here: ${state.vaultRotation ?? "none"}`,
      command: commandOf(stack, "run"),
      fix: () => finish(stack),
    }),
  ];
}

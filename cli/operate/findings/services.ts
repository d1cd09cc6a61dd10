import {
  askHealth,
  type Place,
  placeName,
  placesOf,
  restartPlaces,
  restartUnlessHealthy,
} from "../../../components/places";
import { restartCommand } from "../../../components/restart-command";
import type { BroughtIn } from "../../../components/restart-input";
import type { Config, SecretConfig } from "../../../config";
import { messageOf } from "../../../core/errors";
import { illnessOf } from "../../../core/health";
import type { About, Finding } from "../../../kinds/kind-operations";
import { unproven } from "../proven";

/**
 * Services of a secret that are not healthy, each with what its `/health` says.
 *
 * @param inUse what services must use by now; undefined if that is not settled
 * @param restartHelps false if the credential in the store does not work either: a restart would only time out.
 */
export async function serviceFindings(
  config: Config,
  secret: SecretConfig,
  about: About,
  restartHelps: boolean,
  inUse?: BroughtIn<string>,
): Promise<Finding[]> {
  const found = await Promise.all(
    placesOf(config, secret).map(async (place): Promise<Finding[]> => {
      const verdict = await askHealth(config, place).catch(messageOf);
      const old =
        typeof verdict === "string" || inUse === undefined ? undefined : unproven(place.config, verdict, inUse);
      if (typeof verdict !== "string" && verdict.healthy) {
        return old === undefined ? [] : [about(oldCredential(config, place, old))];
      }
      const answer = typeof verdict === "string" ? verdict : illnessOf(place.service, verdict);
      const on = place.hostName === undefined ? "" : `on ${place.hostName}`;
      const hint = [on, restartHelps ? "" : "once the credential works"].filter((text) => text !== "").join(", ");
      return [
        about({
          cause: `${placeName(place)} ${illness(answer)}`,
          evidence: answer.trim().slice(0, 500),
          command: restartCommand(place.service, place.config),
          ...(hint === "" ? {} : { hint }),
          ...(restartHelps ? { fix: () => restartUnlessHealthy(config, place) } : {}),
        }),
      ];
    }),
  );
  return found.flat();
}

/** A reload that had no effect, or a service that was started with an old value. */
const oldCredential = (config: Config, place: Place, evidence: string) => ({
  cause: `${placeName(place)} is healthy and does not use the credential in use`,
  evidence,
  command: restartCommand(place.service, place.config),
  ...(place.hostName === undefined ? {} : { hint: `on ${place.hostName}` }),
  fix: () => restartPlaces(config, [place]),
});

function illness(answer: string): string {
  if (/password authentication failed/.test(answer)) return "cannot log in to the database with its credential";
  return /\b401\b/.test(answer) ? "uses a pair that Alpaca refuses" : "is not healthy";
}

import { restartCommand } from "../../../components/restart-command";
import type { SecretConfig } from "../../../config";
import { messageOf } from "../../../core/errors";
import { illnessOf } from "../../../core/health";
import type { Stack } from "../facts";
import * as facts from "../facts";
import type { About, Finding } from "./finding";
import { restartUnlessHealthy } from "./mend";

/**
 * Services of a secret that are not healthy, each with what its `/health` says.
 *
 * @param restartHelps false where what they read does not work either: a restart would only wait for its time limit.
 */
export async function serviceFindings(
  { config }: Stack,
  secret: SecretConfig,
  about: About,
  restartHelps: boolean,
): Promise<Finding[]> {
  const found = await Promise.all(
    facts.placesOf(config, secret).map(async (place): Promise<Finding[]> => {
      const verdict = await facts.askHealth(config, place).catch(messageOf);
      if (typeof verdict !== "string" && verdict.healthy) return [];
      const answer = typeof verdict === "string" ? verdict : illnessOf(place.service, verdict);
      const on = place.hostName === undefined ? "" : `on ${place.hostName}`;
      const hint = [on, restartHelps ? "" : "once the credential works"].filter((text) => text !== "").join(", ");
      return [
        about({
          cause: `${facts.placeName(place)} ${illness(answer)}`,
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

function illness(answer: string): string {
  if (/password authentication failed/.test(answer)) return "does not get into the database with what it holds";
  return /\b401\b/.test(answer) ? "holds a pair that Alpaca refuses" : "is not healthy";
}

import { randomBytes } from "node:crypto";
import { withDatabase } from "../../../clients/postgres";
import { restartAndWait } from "../../../components/restart/restart";
import { restartCommand } from "../../../components/restart-command";
import { probeOf } from "../../../components/service-probe";
import type { PostgresPasswordConfig, SecretConfig } from "../../../config";
import { referenceOf } from "../../../config";
import { probeAt } from "../../../core/health";
import { scramVerifier } from "../../../core/scram";
import { activeGeneration, type SecretState } from "../../../core/state";
import { storeClient } from "../../../stores";
import type { StoreEntry } from "../../../stores/store";
import { describe, writeEntry } from "../../../stores/write-entry";
import type { Login } from "../credentials";
import { OperationError } from "../errors";
import type { Stack } from "../facts";
import * as facts from "../facts";
import { storeOf } from "../preflight-input";

/** Writes values into the store that it must hold already, marked as a rotation marks them. */
export async function writeBack(
  { config }: Pick<Stack, "config">,
  entries: readonly StoreEntry[],
  state: SecretState,
): Promise<void> {
  const client = storeClient(storeOf(config));
  const pair = entries.length > 1 ? { generation: activeGeneration(state), slot: state.active } : undefined;
  for (const entry of entries) {
    const found = await client.read(entry.path);
    if (found?.content.kind === "unusable")
      throw new OperationError(`${describe(entry.path, found)}: ${client.advice(entry.path)}`);
    // What stands there is in the finding that is being mended, and is overwritten; nothing that is written after it is.
    const known = found?.value === undefined ? [] : [found.value];
    await writeEntry(client, {
      entry,
      pair,
      known,
      force: false,
      whenForeign: "Nothing was overwritten: run this again",
    });
  }
}

/** Restarts every service of a secret, one after the other, each behind its health gate. */
export function restartAll({ config }: Pick<Stack, "config">, secret: SecretConfig): Promise<string> {
  return restartPlaces(config, facts.placesOf(config, secret));
}

/** Restarts what runs at these places, one after the other, each behind its health gate. */
export async function restartPlaces(config: Stack["config"], places: readonly facts.Place[]): Promise<string> {
  const done: string[] = [];
  for (const place of places) done.push(await restart(config, place));
  return done.join("; ");
}

/** An earlier fix may have restarted it already. */
export async function restartUnlessHealthy(config: Stack["config"], place: facts.Place): Promise<string> {
  const verdict = await facts.askHealth(config, place).catch(() => undefined);
  return verdict?.healthy ? `${facts.placeName(place)} is healthy by now` : restart(config, place);
}

function restart(config: Stack["config"], place: facts.Place): Promise<string> {
  const { service, config: own, hostName = "this machine", host } = place;
  const probe = probeAt(probeOf(own), host?.address ?? "localhost");
  const command = restartCommand(service, own);
  return facts.shellAt(config, place, (run) =>
    restartAndWait({ service, place: hostName, command, probe, timeout: own.timeout }, run),
  );
}

/** Gives a role the password that this stack knows, and its login. Only a verifier reaches the server. */
export async function setPassword(secret: PostgresPasswordConfig, { username, password }: Login): Promise<void> {
  const verifier = scramVerifier(password, randomBytes(16).toString("base64"));
  await withDatabase(referenceOf(secret.database), (client) =>
    client.query(`ALTER ROLE ${client.escapeIdentifier(username)} LOGIN PASSWORD ${client.escapeLiteral(verifier)}`),
  );
}

/** What `rotation run` does: whatever an update that died has left. */
export async function finish({ project }: Pick<Stack, "project">): Promise<string> {
  const { Run } = await import("../run");
  const notes: string[] = [];
  const run = await Run.open(project, {
    step: () => undefined,
    note: (text) => void notes.push(text),
    preflight: () => undefined,
    plan: () => undefined,
    happening: () => undefined,
    confirm: () => Promise.resolve(true),
  });
  const result = await run.carryOut();
  switch (result.outcome) {
    case "done":
      return [
        ...notes,
        ...result.secrets.map(({ secret, action, to }) => `${secret}: ${action}, generation ${to}`),
      ].join("; ");
    case "nothing to do":
      return "nothing was left to do";
    case "incomplete":
      throw new OperationError(
        result.secrets.map(({ secret, missing }) => `${secret}: ${missing.join("; ")}`).join("; "),
      );
    case "refused by the preflight": {
      const failed = result.preflight.flatMap(({ checks }) => checks.filter(({ ok }) => !ok));
      throw new OperationError(`the preflight failed: ${failed.map(({ evidence }) => evidence).join("; ")}`);
    }
    default:
      throw new OperationError("failure" in result ? `${result.failure.reason}. ${result.situation}` : result.outcome);
  }
}

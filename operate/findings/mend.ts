import { restartScript } from "../../components/restart-script";
import type { SecretConfig } from "../../config";
import type { Request } from "../../rotation/request";
import { activeGeneration, type SecretState } from "../../rotation/state";
import { type StoreEntry, storeClient } from "../../steps/store";
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
    if ((await client.read(entry.path))?.value !== entry.value) await client.write(entry, pair);
  }
}

/** Restarts every service of a secret, one after the other, each behind its health gate. */
export async function restartAll({ config }: Pick<Stack, "config">, secret: SecretConfig): Promise<string> {
  const done: string[] = [];
  for (const place of facts.placesOf(config, secret)) done.push(await restart(config, place));
  return done.join("; ");
}

/** An earlier fix may have restarted it already. */
export async function restartUnlessHealthy(config: Stack["config"], place: facts.Place): Promise<string> {
  const answer = await facts.askHealth(config, place).catch(() => "");
  return facts.isHealthy(answer) ? `${facts.placeName(place)} is healthy by now` : restart(config, place);
}

function restart(config: Stack["config"], place: facts.Place): Promise<string> {
  const where = { name: place.hostName ?? "this machine", address: place.host?.address ?? "localhost" };
  return facts.runAt(config, place, restartScript(place.service, place.config, where)).then((text) => text.trim());
}

/** What `rotation rotate-now` does. */
export function rotateNow(stack: Stack, secret: string, reason: string, force: boolean): Promise<string> {
  const id = `diagnose-${new Date().toISOString()}`;
  return carryOut(stack, { id, secret, rotate: true, emergency: true, reason, ...(force ? { force: true } : {}) });
}

/** What `rotation run` does: whatever an update that died has left. */
export const finish = (stack: Stack): Promise<string> => carryOut(stack, undefined);

async function carryOut({ project }: Stack, request: Request | undefined): Promise<string> {
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
  const result = await run.carryOut(request === undefined ? {} : { request });
  switch (result.outcome) {
    case "done":
      return [
        ...notes,
        ...result.secrets.map(({ secret, action, to }) => `${secret}: ${action}, generation ${to}`),
      ].join("; ");
    case "nothing to do":
      return "nothing was left to do";
    case "refused by the preflight": {
      const failed = result.preflight.flatMap(({ checks }) => checks.filter(({ ok }) => !ok));
      throw new OperationError(`the preflight failed: ${failed.map(({ evidence }) => evidence).join("; ")}`);
    }
    default:
      throw new OperationError("failure" in result ? `${result.failure.reason}. ${result.situation}` : result.outcome);
  }
}

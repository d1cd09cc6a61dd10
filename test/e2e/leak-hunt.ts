import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { auditRows, type Bench, setDay, setRequest } from "./harness";
import {
  filesBelow,
  labSecrets,
  leaksIn,
  type Secrets,
  slotSecrets,
  verifierSecrets,
  watchProcesses,
} from "./leak-support";

/** What a life of a password leaves behind. */
interface Traces {
  /** What Pulumi printed, and its event logs. */
  readonly printed: string[];
  /** Every credential there was, by name. */
  readonly secrets: Record<string, string>;
  /** The verifiers there were; PostgreSQL's log has them and may. */
  readonly verifiers: Record<string, string>;
}

/** An adoption, a rotation with its previews, a refused request and a rollback: no credential is anywhere afterwards. */
export async function huntLeaks(bench: Bench): Promise<void> {
  const traces: Traces = { printed: [], secrets: { ...labSecrets(bench) }, verifiers: {} };
  const watch = watchProcesses();
  await tracedUp(bench, traces);
  await setDay(bench, 89);
  await traced(bench, traces, ["preview", "--diff", "--show-replacement-steps"]);
  await traced(bench, traces, ["preview", "--save-plan=plan.json"]);
  await tracedUp(bench, traces);
  await setRequest(bench, { id: "nonsense", activate: 7 });
  await traced(bench, traces, ["up", "--yes", "--skip-preview", "--diff"], 1);
  await setRequest(bench, { id: "back", activate: 1 });
  await tracedUp(bench, traces);
  await traced(bench, traces, ["stack", "output", "--json"]);
  await traced(bench, traces, ["stack", "export"]);
  const processes = await watch.stop();

  expect(Object.keys(traces.secrets).filter((name) => name.includes("slot-"))).toHaveLength(3);
  const places = await placesOf(bench, traces, processes);
  const found = Object.entries(places).flatMap(([place, text]) =>
    leaksIn(text, traces.secrets).map((name) => `${place} holds ${name}`),
  );
  expect(found).toEqual([]);
  const { "PostgreSQL's log": _, ...others } = places;
  for (const [place, text] of Object.entries(others)) expect(leaksIn(text, traces.verifiers), place).toEqual([]);
}

async function traced(bench: Bench, { printed }: Traces, args: string[], exitCode = 0): Promise<void> {
  const { stdout, stderr, exitCode: found } = await bench.stack.pulumi(args);
  expect(found, stdout + stderr).toBe(exitCode);
  printed.push(stdout, stderr);
}

/** An update with its event log, and the credentials there are after it. */
async function tracedUp(bench: Bench, traces: Traces): Promise<void> {
  const log = join(bench.stack.projectDir, `events-${traces.printed.length}.json`);
  // Pulumi shows this flag only to those who debug it; its Automation API uses it all the time.
  const env = { PULUMI_DEBUG_COMMANDS: "true" };
  const args = ["up", "--yes", "--skip-preview", "--diff", "--show-replacement-steps", "--debug", "--event-log", log];
  const { stdout, stderr, exitCode } = await bench.stack.pulumi(args, { env });
  expect(exitCode, stdout + stderr).toBe(0);
  traces.printed.push(stdout, stderr, await readFile(log, "utf8"));
  Object.assign(traces.secrets, await slotSecrets(bench));
  Object.assign(traces.verifiers, numbered(await verifierSecrets(bench), traces.printed.length));
}

const numbered = (secrets: Secrets, number: number) =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`${name} (${number})`, value]));

/** All text by the place it was found in, each proven to be the right one by what an update leaves there. */
async function placesOf(bench: Bench, { printed }: Traces, processes: string): Promise<Record<string, string>> {
  const { lab, stack } = bench;
  const below = async (folder: string) => (await filesBelow(folder)).map(({ text }) => text).join("\n");
  const logs = lab.hosts.flatMap((host) => host.services.map(({ logFile }) => readFile(logFile, "utf8")));
  const places: Record<string, readonly [text: string, shows: string]> = {
    "the state with its history and backups": [await below(stack.stateDir), "database-password-slot-a-password"],
    "the project's folder with its config": [await below(stack.projectDir), "secret-rotation:adopted"],
    "Pulumi's home": [await below(String(stack.env.PULUMI_HOME)), ""],
    "what Pulumi printed": [printed.join("\n"), "resourcePreEvent"],
    "the process list": [processes, "dist/steps/verify-login.mjs"],
    "PostgreSQL's log": [await readFile(lab.postgres.logFile, "utf8"), "ALTER ROLE"],
    "the audit log": [JSON.stringify(await auditRows(bench)), "ROLLBACK"],
    "the services' logs": [(await Promise.all(logs)).join("\n"), "Connected to the database"],
  };
  for (const [place, [text, shows]] of Object.entries(places)) expect(text.includes(shows), place).toBe(true);
  return Object.fromEntries(Object.entries(places).map(([place, [text]]) => [place, text]));
}

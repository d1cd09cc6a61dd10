import { join } from "node:path";
import { expect } from "vitest";
import { LeakSearch } from "../unit/leaks/forms";
import { type Bench, setDay, setRequest } from "./harness";
import { filesBelow, type Secrets, slotSecrets, verifierSecrets } from "./leak-support";

/** What a life of a password leaves behind. */
interface Traces {
  /** What Pulumi printed. */
  readonly printed: string[];
  /** The passwords there were, by slot and generation. */
  readonly passwords: Record<string, string>;
  /** The verifiers there were; PostgreSQL's log has them and may. */
  readonly verifiers: Record<string, string>;
}

/**
 * An adoption, a rotation with its previews, a refused request and a rollback, each as talkative as Pulumi can be: event
 * logs, debug messages, a saved plan, exports. What is left behind is searched when the bench stops; verifiers here.
 */
export async function huntLeaks(bench: Bench): Promise<void> {
  const traces: Traces = { printed: [], passwords: {}, verifiers: {} };
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

  expect(Object.keys(traces.passwords)).toHaveLength(3);
  const search = new LeakSearch({ ...traces.verifiers, ...traces.passwords });
  const { stack } = bench;
  const files = [...(await filesBelow(stack.stateDir)), ...(await filesBelow(stack.projectDir))];
  for (const { path, bytes } of files) expect(search.in(bytes), path).toEqual([]);
  expect(search.in(traces.printed.join("\n"))).toEqual([]);
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
  traces.printed.push(stdout, stderr);
  Object.assign(traces.passwords, await slotSecrets(bench));
  Object.assign(traces.verifiers, numbered(await verifierSecrets(bench), traces.printed.length));
}

const numbered = (secrets: Secrets, number: number) =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`${name} (${number})`, value]));

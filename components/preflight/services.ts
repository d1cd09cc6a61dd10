import { askHealth } from "../../clients/probe";
import { type RunScript, shellHere } from "../../clients/shell";
import { type HostReference, withHost } from "../../clients/ssh";
import { StepError } from "../../core/errors";
import { type HealthProbe, illnessOf, probeAt } from "../../core/health";
import type { SshKey } from "../../core/ssh-key";

interface Service {
  readonly name: string;
  readonly probe: HealthProbe;
  readonly restartCheck?: string | undefined;
  readonly restartRights?: string | undefined;
}

/** What is required of services: a rollback must work while they are down. */
interface Asked {
  readonly healthy: boolean;
  readonly restartable: boolean;
}

/** Milliseconds that the check of one restart may take. */
const LIMIT = 30_000;

/** The host shows the expected key, has the tools for the health gate, and the given services on it are as required. */
export function checkHost(
  name: string,
  host: HostReference,
  privateKey: SshKey,
  services: readonly Service[],
  asked: Asked,
): Promise<string> {
  return withHost(name, host, privateKey, async (run) => {
    const notes = await checkServices(services, host.address, asked, run);
    return ["host key as expected", ...notes].join(", ");
  });
}

/** A service on the machine that runs Pulumi. */
export async function checkLocalService(service: Service, asked: Asked): Promise<string> {
  const notes = await checkServices([service], "localhost", asked, shellHere());
  return notes.map((note) => note.replace(`${service.name} `, "")).join(", ") || "health not checked";
}

/** What was found of each service on one machine, on which `run` runs scripts. @throws StepError */
export async function checkServices(
  services: readonly Service[],
  address: string,
  { healthy, restartable }: Asked,
  run: RunScript,
): Promise<string[]> {
  await assertTools(run);
  if (healthy) await assertHealthy(services, address, run);
  const looks = restartable ? await lookAtRestarts(services, run) : [];
  return [...(healthy ? services.map(({ name }) => `${name} healthy`) : []), ...looks];
}

/** One service after the other, in one session at a time. @throws StepError that names all that could not be restarted */
async function lookAtRestarts(services: readonly Service[], run: RunScript): Promise<string[]> {
  const notes: string[] = [];
  const problems: string[] = [];
  for (const service of services) {
    const found = await lookAtRestart(service, run);
    if (found.problem !== undefined) problems.push(found.problem);
    notes.push(...found.notes);
  }
  if (problems.length > 0) throw new StepError(problems.join("; "));
  return notes;
}

/** What the restart and its health gate need. */
async function assertTools(run: RunScript): Promise<void> {
  const tools = ["curl", "timeout", "base64"];
  const script = `for tool in ${tools.join(" ")}; do command -v $tool >/dev/null || echo $tool; done`;
  const { output } = await run(script, LIMIT);
  const missing = tools.filter((tool) => output.split("\n").includes(tool));
  if (missing.length > 0) {
    throw new StepError(`${missing.join(" and ")} must be installed where the services run: the health gate needs it`);
  }
}

async function assertHealthy(services: readonly Service[], address: string, run: RunScript): Promise<void> {
  const verdicts = await askHealth(
    services.map(({ probe }) => probeAt(probe, address)),
    run,
  );
  const unhealthy = services.flatMap(({ name }, index) => {
    const verdict = verdicts[index];
    return verdict === undefined || verdict.healthy ? [] : [`${name} (its answer: ${illnessOf(name, verdict)})`];
  });
  if (unhealthy.length > 0) throw new StepError(`not healthy before the start: ${unhealthy.join(", ")}; fix it first`);
  const lacking = services.flatMap(({ name, probe }, index) => {
    const field = probe.kind === "http" ? probe.shows : undefined;
    return field === undefined || verdicts[index]?.shown !== undefined ? [] : [`\`${field}\` of ${name}`];
  });
  if (lacking.length > 0) {
    throw new StepError(
      `the health answer has no field ${lacking.join(" and ")}; correct \`proof\` of the service in the config, or the service`,
    );
  }
}

/** A wrong name, or a right that is missing, is found before anything is changed, not at the restart. */
async function lookAtRestart(
  { name, restartCheck, restartRights }: Service,
  run: RunScript,
): Promise<{ readonly problem?: string; readonly notes: readonly string[] }> {
  if (restartCheck !== undefined) {
    const { status, output } = await run(restartCheck, LIMIT);
    const lacks = `what \`${restartCheck.split(/ [|>] /)[0]}\` lacks there`;
    if (status !== 0) return { problem: notRestartable(name, status, output, lacks), notes: [] };
  }
  if (restartRights === undefined) return { notes: [] };
  const { status, output } = await run(restartRights, LIMIT);
  if (status !== 0) {
    return { problem: notRestartable(name, status, output, "give the account that right"), notes: [] };
  }
  // What could not be checked.
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return { notes: lines.map((line) => `${name}: ${line.trim()}`) };
}

function notRestartable(name: string, status: number | null, output: string, or: string): string {
  const said = output.trim().slice(0, 600) || (status === null ? "no answer in time" : `exit status ${status}`);
  return `${name} could not be restarted: ${said}; correct services.${name} in the config, or ${or}`;
}

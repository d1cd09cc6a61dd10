import { execFile } from "node:child_process";
import { promisify } from "node:util";
import ky from "ky";
import { trustingFetch } from "../../clients/trust";
import { quoted } from "../../rotation/shell-word";
import { messageOf, StepError } from "../run-step";
import { type HostReference, withHost } from "../ssh";

interface Service {
  readonly name: string;
  readonly health: string;
  readonly restartCheck?: string | undefined;
}

/** The host shows the key it must, has what the health gate needs, and the given services on it are healthy. */
export function checkHost(
  name: string,
  host: HostReference,
  privateKey: string,
  services: readonly Service[],
): Promise<string> {
  return withHost(name, host, privateKey, async (run) => {
    await run(
      "command -v curl >/dev/null && command -v timeout >/dev/null || { echo 'curl and timeout must be installed on the host'; exit 1; }",
    );
    const urls = services.map(({ health }) => health.replaceAll("{address}", host.address));
    const answers = await askAll(urls, run);
    assertHealthy(services.map((service, index) => ({ ...service, answer: answers[index] ?? "" })));
    for (const service of services) await assertRestartable(service, (command) => run(command));
    return ["host key as expected", ...services.map((service) => `${service.name} healthy`)].join(", ");
  });
}

/**
 * One command for all, and where `curl` can (7.66) one process: a server opens ten sessions a connection by default. What
 * did not answer is asked again by itself, for its own error.
 */
async function askAll(urls: readonly string[], run: (command: string) => Promise<string>): Promise<string[]> {
  if (urls.length === 0) return [];
  const curl = "curl -sS --max-time 10";
  const script = [
    "d=$(mktemp -d) || exit 1; trap 'rm -rf \"$d\"' EXIT",
    `${curl} --parallel ${urls.map((url, index) => `-o "$d/${index}" ${quoted(url)}`).join(" ")} 2>/dev/null`,
    ...urls.map((url, index) => `[ -s "$d/${index}" ] || ${curl} ${quoted(url)} >"$d/${index}" 2>&1 &`),
    "wait",
    `for i in $(seq 0 ${urls.length - 1}); do tr -d '\\0' <"$d/$i"; printf '\\0'; done`,
  ];
  return (await run(script.join("\n"))).split("\0").slice(0, urls.length);
}

/** A service on the machine that runs Pulumi. */
export async function checkLocalService(service: Service): Promise<string> {
  const { name, health } = service;
  const answer = await ky
    .get(health.replaceAll("{address}", "localhost"), {
      fetch: trustingFetch,
      throwHttpErrors: false,
      timeout: 10_000,
      retry: 0,
    })
    .text()
    .catch(messageOf);
  assertHealthy([{ name, answer }]);
  await assertRestartable(service, runHere);
  return "healthy";
}

/** Standard output; fails with what the command said where it fails. */
async function runHere(command: string): Promise<string> {
  try {
    return (await promisify(execFile)("sh", ["-c", command], { timeout: 30_000 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new StepError(`${stdout}${stderr}`.trim() || messageOf(error));
  }
}

/** Kubernetes and Compose: a wrong name is found before anything is changed, not at the restart. */
async function assertRestartable({ name, restartCheck }: Service, run: (command: string) => Promise<unknown>) {
  if (restartCheck === undefined) return;
  try {
    await run(restartCheck);
  } catch (error) {
    throw new StepError(
      `${name} could not be restarted: ${messageOf(error).slice(0, 300)}; correct services.${name} in the config, or what ` +
        `\`${restartCheck.split(" | ")[0]}\` lacks there`,
    );
  }
}

function assertHealthy(answers: readonly { readonly name: string; readonly answer: string }[]): void {
  const unhealthy = answers.filter(({ answer }) => !/"status"\s*:\s*"healthy"/.test(answer));
  if (unhealthy.length === 0) return;
  const found = unhealthy.map(({ name, answer }) => `${name} (its answer: ${answer.trim().slice(0, 300) || "none"})`);
  throw new StepError(`not healthy before the start: ${found.join(", ")}; mend it first`);
}

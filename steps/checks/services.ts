import ky from "ky";
import { messageOf, StepError } from "../run-step";
import { type HostReference, withHost } from "../ssh";

interface Service {
  readonly name: string;
  readonly health: string;
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
    const answers = await Promise.all(
      services.map(async (service) => {
        const url = service.health.replaceAll("{address}", host.address);
        return {
          ...service,
          answer: await run(`curl -sS --max-time 10 '${url.replaceAll("'", "'\\''")}' 2>&1 || true`),
        };
      }),
    );
    assertHealthy(answers);
    return ["host key as expected", ...services.map((service) => `${service.name} healthy`)].join(", ");
  });
}

/** A service on the machine that runs Pulumi. */
export async function checkLocalService({ name, health }: Service): Promise<string> {
  const answer = await ky
    .get(health.replaceAll("{address}", "localhost"), { throwHttpErrors: false, timeout: 10_000, retry: 0 })
    .text()
    .catch(messageOf);
  assertHealthy([{ name, answer }]);
  return "healthy";
}

function assertHealthy(answers: readonly { readonly name: string; readonly answer: string }[]): void {
  const unhealthy = answers.filter(({ answer }) => !/"status"\s*:\s*"healthy"/.test(answer));
  if (unhealthy.length === 0) return;
  const found = unhealthy.map(({ name, answer }) => `${name} (its answer: ${answer.trim().slice(0, 300) || "none"})`);
  throw new StepError(`not healthy before the start: ${found.join(", ")}; mend it first`);
}

import type { ServiceConfig } from "../config";
import { quoted } from "../core/shell-word";

type Ways = Pick<ServiceConfig, "restart" | "kubernetes" | "compose" | "timeout">;

/** The shell command that restarts a service where it runs: the config's own, or that of its platform. */
export function restartCommand(name: string, { restart, kubernetes, compose, timeout }: Ways): string {
  if (kubernetes !== undefined) return rollout(name, kubernetes, Math.ceil(timeout / 1000));
  if (compose !== undefined) return `${composeFor(compose)} restart ${compose.service ?? name}`;
  return restart ?? `systemctl restart ${name}`;
}

/**
 * A command that checks that the restart can find its target, and changes nothing; undefined for a service
 * with a command of its own.
 */
export function restartCheck(name: string, { kubernetes, compose }: Omit<Ways, "timeout">): string | undefined {
  if (kubernetes !== undefined) return `${kubectlFor(kubernetes)} get ${workloadOf(name, kubernetes)} -o name`;
  if (compose === undefined) return undefined;
  const service = compose.service ?? name;
  return (
    `${composeFor(compose)} ps --all --services | grep -qxF ${quoted(service)} || ` +
    `{ echo 'docker compose has no container of a service ${service} there'; exit 1; }`
  );
}

type Kubernetes = NonNullable<Ways["kubernetes"]>;
type Compose = NonNullable<Ways["compose"]>;

function rollout(name: string, kubernetes: Kubernetes, seconds: number): string {
  const [kubectl, workload] = [kubectlFor(kubernetes), workloadOf(name, kubernetes)];
  // It ends before the script's own time limit, so that kubectl's message says what it waits for.
  const limit = Math.max(1, seconds - 5);
  return `${kubectl} rollout restart ${workload} && ${kubectl} rollout status ${workload} --timeout=${limit}s`;
}

export const workloadOf = (name: string, { workload = `deployment/${name}` }: Kubernetes) => workload;

export const kubectlFor = ({ context, namespace }: Kubernetes) =>
  ["kubectl", ...option("--context", context), ...option("--namespace", namespace)].join(" ");

const composeFor = ({ file, project }: Compose) =>
  ["docker", "compose", ...option("--file", file), ...option("--project-name", project)].join(" ");

const option = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, quoted(value)]);

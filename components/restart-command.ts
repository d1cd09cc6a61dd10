import type { ServiceConfig } from "../config";
import { quoted } from "../core/shell-word";
import { SYNCED } from "./restart/sync";

type Ways = Pick<ServiceConfig, "restart" | "reload" | "kubernetes" | "compose" | "timeout">;

/** Whether a service is reloaded: its process stays. */
export const isReloaded = ({ reload }: Pick<Ways, "reload">): boolean => reload !== undefined;

/**
 * The shell command that restarts or reloads a service where it runs: the config's own, or that of its platform. For a
 * request over http, the one that does the same by hand.
 */
export function restartCommand(name: string, { restart, reload, kubernetes, compose, timeout }: Ways): string {
  if (typeof reload === "string") return reload;
  if (reload !== undefined && "http" in reload) return `curl -X ${reload.http.method} ${quoted(reload.http.url)}`;
  if (reload !== undefined) {
    // By its older name: systemd before 252 does not know --kill-whom, and later ones know both.
    if (compose === undefined) return `systemctl kill --kill-who=main --signal=${reload.signal} ${name}`;
    return `${composeFor(compose)} kill --signal ${reload.signal} ${compose.service ?? name}`;
  }
  if (kubernetes !== undefined) return rollout(name, kubernetes, Math.ceil(timeout / 1000));
  if (compose !== undefined) return `${composeFor(compose)} restart ${compose.service ?? name}`;
  return restart ?? `systemctl restart ${name}`;
}

/**
 * A command that checks that the restart can find its target, and changes nothing; undefined for a service
 * with a command of its own.
 */
export function restartCheck(name: string, { kubernetes, compose }: Omit<Ways, "timeout">): string | undefined {
  if (kubernetes !== undefined) {
    const get = (what: string) => `${kubectlFor(kubernetes)} get ${what} -o name`;
    const synced = syncedOf(kubernetes);
    const workload = get(workloadOf(name, kubernetes));
    return synced === undefined ? workload : `${workload} && ${get(`${synced.resource} ${synced.name}`)}`;
  }
  if (compose === undefined) return undefined;
  const service = compose.service ?? name;
  const list = `${composeFor(compose)} ps --all --services`;
  // If it cannot be asked, it says why, and not that there is no container.
  return (
    `${list} > /dev/null && { ${list} | grep -qxF ${quoted(service)} || ` +
    `{ echo 'docker compose has no container of a service ${service} there'; exit 1; }; }`
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

/** The object that copies the store into the workload's Secret, as kubectl names it. */
export function syncedOf({ sync }: Kubernetes) {
  if (sync === undefined) return undefined;
  const operator = sync.externalSecret === undefined ? ("vaultStaticSecret" as const) : ("externalSecret" as const);
  return { operator, name: sync.externalSecret ?? sync.vaultStaticSecret ?? "", ...SYNCED[operator] };
}

export const workloadOf = (name: string, { workload = `deployment/${name}` }: Kubernetes) => workload;

export const kubectlFor = ({ context, namespace }: Kubernetes) =>
  ["kubectl", ...option("--context", context), ...option("--namespace", namespace)].join(" ");

const composeFor = ({ file, project }: Compose) =>
  ["docker", "compose", ...option("--file", file), ...option("--project-name", project)].join(" ");

const option = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, quoted(value)]);

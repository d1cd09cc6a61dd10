import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../../dev/lab/ssh-host";

/** `kubectl` and `docker` for a lab's host, whose services they really restart. */
export interface ContainerTools {
  /** Every command so far. */
  commands(): Promise<string[]>;
  /** A rollout of this service gets nowhere: its pods go on as they are. */
  setStuck(service: string, stuck: boolean): Promise<void>;
}

/**
 * Puts them first on the host's PATH. There is neither a cluster nor a Docker engine: they answer the pipeline's commands
 * as kubectl 1.32 and Docker Compose do (words and exit codes), for services in the context `lab`, namespace and project
 * `trading`.
 */
export async function installContainerTools({ binDir, dir }: Host): Promise<ContainerTools> {
  const log = join(dir, "containers.log");
  await writeFile(log, "");
  const head = `#!/bin/sh\nprintf '%s\\n' "\${0##*/} $*" >> '${log}'\nPATH='${binDir}':$PATH\nstuck='${dir}'/stuck-\n`;
  for (const [name, script] of Object.entries({ kubectl: KUBECTL, docker: DOCKER })) {
    await writeFile(join(binDir, name), head + script);
    await chmod(join(binDir, name), 0o755);
  }
  return {
    commands: async () => (await readFile(log, "utf8")).split("\n").filter((line) => line !== ""),
    setStuck: (service, stuck) => {
      const file = join(dir, `stuck-${service}`);
      return stuck ? writeFile(file, "") : rm(file, { force: true });
    },
  };
}

const KUBECTL = `
namespace=default
words=
while [ $# -gt 0 ]; do
  case "$1" in
    --context) [ "$2" = lab ] || { echo "error: context \\"$2\\" does not exist" >&2; exit 1; }; shift ;;
    --namespace) namespace=$2; shift ;;
    -o) shift ;;
    --timeout=*) ;;
    *) words="$words $1" ;;
  esac
  shift
done
set -- $words
[ "$1" = rollout ] && shift
name=\${2#deployment/}
[ "$namespace" = trading ] && systemctl is-active "$name" >/dev/null || {
  echo "Error from server (NotFound): deployments.apps \\"$name\\" not found" >&2
  exit 1
}
case "$1" in
  get) echo "deployment.apps/$name" ;;
  restart) [ -e "$stuck$name" ] || systemctl restart "$name" || exit 1; echo "deployment.apps/$name restarted" ;;
  status)
    [ -e "$stuck$name" ] || { echo "deployment \\"$name\\" successfully rolled out"; exit 0; }
    echo "Waiting for deployment \\"$name\\" rollout to finish: 0 out of 1 new replicas have been updated..."
    echo 'error: timed out waiting for the condition' >&2
    exit 1 ;;
  *) echo "error: unknown command \\"$1\\" for \\"kubectl\\"" >&2; exit 1 ;;
esac
`;

const DOCKER = `
[ "$1" = compose ] || { echo "docker: unknown command: docker $1" >&2; exit 1; }
shift
while [ $# -gt 0 ]; do
  case "$1" in
    --project-name) [ "$2" = trading ] || exit 0; shift ;;
    --file|--all|--services) [ "$1" = --file ] && shift ;;
    ps) verb=ps ;;
    restart) verb=restart; name=$2; shift ;;
    *) echo "unknown flag or command: $1" >&2; exit 16 ;;
  esac
  shift
done
if [ "$verb" = ps ]; then echo orchestrator; exit 0; fi
[ "$name" = orchestrator ] || { echo "no such service: $name" >&2; exit 1; }
systemctl restart "$name" && echo " Container trading-$name-1  Started" >&2
`;

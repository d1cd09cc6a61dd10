import type { PolicyResource, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { leavesOf, secretsOf } from "./values";

const LOCAL = "command:local:Command";
/** The types that have a login's name: the role that the plugin creates, and the component around its login. */
const ROLES: Readonly<Record<string, string>> = {
  "postgresql:index/role:Role": "name",
  "secret-rotation:index:LoginRole": "role",
};
const REMOTE = "command:remote:Command";

const isCommand = (type: string) => type === LOCAL || type === REMOTE;

export const hostKey: ResourceValidationPolicy = {
  name: "host-key",
  description: "A remote command must have the key of its host: without it any host is trusted.",
  validateResource: ({ type, props }, report) => {
    if (type !== REMOTE && type !== "command:remote:CopyFile" && type !== "command:remote:CopyToRemote") return;
    const { connection } = props;
    for (const [where, one] of [
      ["connection", connection],
      ["connection.proxy", connection?.proxy],
    ]) {
      if (where === "connection.proxy" && one === undefined) continue;
      if (!/^(ssh-|ecdsa-|sk-)\S+ \S+/.test(String(one?.hostKey ?? ""))) {
        report(`expected ${where}.hostKey, the public key of ${one?.host ?? "the host"}, found none`);
      }
    }
  },
};

/** Whether a command is a rolling restart: by its parent component or by what it runs. */
const restarts = (urn: string, create: string) =>
  urn.includes("secret-rotation:index:RollingRestart$") ||
  /\b(systemctl|service|docker compose|docker-compose|kubectl rollout)\b.*\brestart\b/.test(create);

/** The script's last line is `exit 1`, or calls its own function `fail`, which ends with `exit 1`. */
const failsAtItsEnd = (script: string) =>
  /\nexit 1\s*$/.test(script) || (/^fail\(\) \{.*\bexit 1; \}$/m.test(script) && /\nfail "[^\n]*"\s*$/.test(script));

/** The program's own restart, which waits until the service is healthy and fails if it stays unhealthy. */
const OWN_GATE = "node dist/steps/restart-service.mjs";

export const healthGate: ResourceValidationPolicy = {
  name: "restart-behind-health-gate",
  description: "A restart waits until the service is healthy, and stops the rollout if it stays unhealthy.",
  validateResource: ({ type, urn, props }, report) => {
    const create = String(props.create ?? "");
    if (!isCommand(type) || !restarts(urn, create) || create === OWN_GATE) return;
    if (!/\bcurl\b/.test(create) || !create.includes('"status":"healthy"')) {
      report('expected a gate that asks /health for "status":"healthy" after the restart, found none');
    } else if (!failsAtItsEnd(create)) {
      report("expected the command to fail if the service stays unhealthy, found no `exit 1` at its end");
    }
  },
};

/** A step of the program, which prints no secret: what it printed the last time may be in its environment. */
const OWN_STEP = /^node '?(?:[^' ]*\/)?dist\/steps\/[\w-]+\.mjs\b/;

/** The parts of a command that the process list, the engine's errors or the state show. */
const SHOWN = ["create", "update", "delete", "interpreter", "environment", "triggers", "stdout", "stderr"] as const;

export const noSecretInCommands: StackValidationPolicy = {
  name: "no-secret-in-a-command-line",
  description:
    "A secret reaches a command only by stdin: not in create, update, delete, environment, triggers or output.",
  validateStack: ({ resources }, report) => {
    // A login's name is kept in the store beside its password, and is no secret.
    const names = new Set(resources.map(({ type, props }) => props[ROLES[type] ?? ""]));
    const secrets = [...new Set(resources.flatMap(({ type, props }) => secretsOf(type, props)))].filter(
      (secret) => !names.has(secret),
    );
    for (const { type, urn, props } of resources) {
      if (!isCommand(type)) continue;
      for (const problem of problemsOf(props, secrets)) report(problem, urn);
    }
  },
};

/** What a step that runs in place has in its environment: which rotation it is of. */
const OF_A_STEP: ReadonlySet<string> = new Set(["ROTATION_ACTIVATION", "ROTATION_ONCE"]);

function problemsOf(props: PolicyResource["props"], secrets: readonly string[]): string[] {
  const problems: string[] = SHOWN.filter((part) =>
    leavesOf(props[part]).some((text) => secrets.some((secret) => text.includes(secret))),
  ).map((part) => `expected no secret in \`${part}\`, found one; pass it by stdin`);
  const variables = Object.keys(props.environment ?? {});
  if (variables.some((name) => !OF_A_STEP.has(name))) {
    problems.push("expected no `environment`: a failure prints it; pass what the command needs by stdin");
  }
  const remembers = props.addPreviousOutputInEnv === true && OWN_STEP.test(String(props.create ?? ""));
  if (props.addPreviousOutputInEnv !== false && !remembers) {
    problems.push("expected `addPreviousOutputInEnv: false`, so that no output gets into an environment");
  }
  return problems;
}

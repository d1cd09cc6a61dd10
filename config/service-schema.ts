import * as z from "zod";
import { parseDuration } from "../core/duration";
import { unknown } from "../core/problem";
import { atOnce } from "../core/rollout";
import { duration, hostAddress, name, port, settings, text } from "../core/schema-parts";
import { ADDRESS, address, answer } from "./answer-schema";
import { connects } from "./connects-schema";
import { hostKeyProblem, hostKeyProblems } from "./host-key";
import { proof, reload, rollout, serviceHook, sync } from "./restart-schema";

const EXPECTED_KEY = "expected a public host key, such as `ssh-ed25519 AAAA...`";

const hostKey = z.string(EXPECTED_KEY).superRefine((key, context) => {
  const problem = hostKeyProblem(key);
  if (problem === undefined) return;
  const message = problem === "none" ? `${EXPECTED_KEY}, found ${JSON.stringify(key.slice(0, 60))}` : problem;
  context.addIssue({ code: "custom", message });
});

/** Distinguished by hand, so that the message names what is wrong inside, and not that no form fits. */
const oneOrMore = (one: typeof hostKey, expected: string) =>
  z.union([one, z.array(one).min(1, expected)], {
    error: (issue) =>
      (typeof issue.input === "string" || Array.isArray(issue.input) ? innerMessage(issue) : undefined) ?? expected,
  });

/** The findings of the form whose shape the value has. */
function innerMessage({ input, errors }: z.core.$ZodRawIssue): string | undefined {
  const tried = (errors as z.core.$ZodIssue[][] | undefined) ?? [];
  return tried[Array.isArray(input) ? 1 : 0]?.[0]?.message;
}

const host = settings({
  address: hostAddress,
  port: port.default(22),
  user: text(/^[A-Za-z0-9_][A-Za-z0-9._@-]*$/, "expected letters, digits, -, _, . or @"),
  /**
   * The host's public key as in known_hosts, such as `ssh-ed25519 AAAA...`, or a list of them. Mandatory: without it any
   * host would be trusted. Only keys of the listed types are requested, so one of the host's several keys is enough.
   * `@cert-authority * ssh-ed25519 AAAA...` is an SSH authority: the host must have a certificate of it. `@revoked * ...` is a
   * key that is never trusted, of a host or of an authority.
   */
  hostKey: oneOrMore(hostKey, EXPECTED_KEY),
  /** The name in the host's certificate and known_hosts lines, as in ssh_config. Default: `address`. */
  hostKeyAlias: z.string().min(1).optional(),
  /** Another of `hosts`, a bastion, through which it is reached. That one may have a `proxy` of its own, and no more. */
  proxy: name.optional(),
}).superRefine((value, context) => {
  for (const { index, message } of hostKeyProblems(value)) {
    const path = ["hostKey", ...(Array.isArray(value.hostKey) ? [index] : [])];
    context.addIssue({ code: "custom", path, message });
  }
});

type Written = z.output<typeof host>;

/** A host with the hosts on the way to it. */
export interface HostConfig extends Omit<Written, "proxy"> {
  readonly proxy?: HostConfig & { readonly name: string };
}

/** How many bastions may be in a row. */
const MOST = 2;

/** The machines on which services run, each with the hosts on the way to it. */
export const hosts = z.record(name, host).transform((written, context): Record<string, HostConfig> => {
  const reach = (at: string, way: readonly string[]): HostConfig => {
    const { proxy, ...own } = written[at] as Written;
    if (proxy === undefined) return own;
    const problem = proxyProblem(written, proxy, way);
    if (problem === undefined) return { ...own, proxy: { name: proxy, ...reach(proxy, [...way, proxy]) } };
    context.addIssue({ code: "custom", path: [way[0] as string, "proxy"], message: problem });
    return own;
  };
  return Object.fromEntries(Object.keys(written).map((at) => [at, reach(at, [at])]));
});

function proxyProblem(written: object, proxy: string, way: readonly string[]): string | undefined {
  if (!Object.hasOwn(written, proxy)) return unknown(proxy, "hosts", written);
  if (way.includes(proxy)) return `expected a way to it, found a circle: ${[...way, proxy].join(", ")}`;
  return way.length > MOST
    ? `expected at most ${MOST} hosts on the way, found ${[...way, proxy].join(", ")}`
    : undefined;
}

/** `kubectl rollout restart` and `rollout status`, run on `hosts`. */
const kubernetes = settings({
  /** Default `deployment/` and the service's name; also a statefulset or a daemonset. */
  workload: text(
    /^(deployment|statefulset|daemonset)\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    "expected deployment/NAME, statefulset/NAME or daemonset/NAME",
  ).optional(),
  /** Default: the context's. */
  namespace: text(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "expected lower-case letters, digits or -").optional(),
  /** The context of the kubeconfig. Default: the current one; name it, so that no other cluster is restarted by mistake. */
  context: z.string().min(1).optional(),
  /** Waits before the rollout until an operator has copied the new value into the Kubernetes Secret. */
  sync: sync.optional(),
});

/** `docker compose restart`, run on `hosts`. */
const compose = settings({
  /** Default: the service's name. */
  service: name.optional(),
  /** The compose file's path on that machine. Default: the one of the working folder, or found by `project`. */
  file: z.string().min(1).optional(),
  /** The project's name. Default: that of the file's folder. */
  project: text(/^[a-z0-9][a-z0-9_-]*$/, "expected lower-case letters, digits, - or _").optional(),
});

/** What must fit together within one service. */
function serviceProblems(value: ServiceParts): { path: string[]; message: string }[] {
  const problems: { path: string[]; message: string }[] = [];
  const expect = (holds: boolean, path: string[], message: string) => {
    if (!holds) problems.push({ path, message });
  };
  const { kubernetes, reload, rollout: batches, hosts } = value;
  const [, second] = ["restart", "kubernetes", "compose"].filter((way) => way in value);
  if (second !== undefined) expect(false, [second], "expected one way to restart it: restart, kubernetes or compose");
  expect(
    reload === undefined || !("restart" in value),
    ["reload"],
    "expected either `restart` or `reload`, found both",
  );
  const overHttp = typeof value.health === "string" && /^http/i.test(value.health);
  const onlyHttp = "expected only with an http address in `health`";
  expect(value.healthy === undefined || overHttp, ["healthy"], onlyHttp);
  expect(value.proof === undefined || overHttp, ["proof"], onlyHttp);
  expect(
    kubernetes === undefined || reload === undefined || typeof reload === "string",
    ["reload"],
    "expected a command, since a signal or a request reaches one of several pods; or leave it out for a rollout",
  );
  if (batches === undefined) return problems;
  expect(kubernetes === undefined, ["rollout"], "expected none: a workload has a rollout strategy of its own");
  expect(hosts.length > 1, ["rollout"], `expected several \`hosts\`, found ${hosts.length}`);
  if (hosts.length < 2) return problems;
  const running = `expected fewer than all ${hosts.length} hosts, so that the service keeps running`;
  expect(atOnce(batches.maxUnavailable, hosts.length) < hosts.length, ["rollout", "maxUnavailable"], running);
  expect(batches.canary < hosts.length, ["rollout", "canary"], `expected fewer than all ${hosts.length} hosts`);
  return problems;
}

type ServiceParts = {
  readonly health: unknown;
  readonly healthy?: unknown;
  readonly proof?: unknown;
  readonly reload?: unknown;
  readonly kubernetes?: unknown;
  readonly hosts: readonly string[];
  readonly rollout?: z.output<typeof rollout> | undefined;
};

export const service = settings({
  /** The hosts that it runs on, names of `hosts`, restarted in this order. Empty: on the machine that runs Pulumi. */
  hosts: z.array(name).default([]),
  /**
   * Queried from the host itself: an http address, `tcp://{address}:5432` (it accepts a connection), or `{ command }` (it
   * exits with status 0). `{address}` is replaced by the host's address.
   */
  health: z.union([address, settings({ command: z.string().min(1) })], {
    error: ({ input }) => (typeof input === "object" && input !== null ? `${ADDRESS}, or { command }` : ADDRESS),
  }),
  /** What an answer over http must be. Default: 2xx, and `status` is `healthy`. */
  healthy: answer.optional(),
  /** Any command that restarts it, run by `sh -c`. Default `systemctl restart NAME`. */
  restart: z.string().min(1).optional(),
  /** Instead of a restart: what makes the running process read its credential again. */
  reload: reload.optional(),
  /** What in the health answer shows that the new credential is in use; also waited for after a restart. */
  proof: proof.optional(),
  /** Instead of `restart`: it runs in Kubernetes. */
  kubernetes: kubernetes.optional(),
  /** Instead of `restart`: it runs under Docker Compose. */
  compose: compose.optional(),
  /** How it gets to its databases and to the store: the rehearsal goes the same way (`docs/rehearsal.md`). A change restarts nothing. */
  connects: connects.optional(),
  /** Time limit for a restart or reload, and again for the service to become healthy. Default 60s. */
  timeout: duration.default(parseDuration("60s")),
  /** Several hosts at once, in batches. Default: one host after the other. A change restarts nothing. */
  rollout: rollout.optional(),
  /** Run before each restart or reload of it. If it fails, the service is left as it is and the rollout stops. */
  before: serviceHook.optional(),
  /** Run after the service is healthy again. Not run if it stays unhealthy. If it fails, the rollout stops. */
  after: serviceHook.optional(),
}).superRefine((value, context) => {
  for (const { path, message } of serviceProblems(value)) context.addIssue({ code: "custom", path, message });
});

import * as z from "zod";
import { parseDuration } from "../core/duration";
import { unknown } from "../core/problem";
import { duration, name, port, settings, text } from "../core/schema-parts";
import { hostKeyProblem } from "./host-key";

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
  address: z.string().min(1),
  port: port.default(22),
  user: name,
  /**
   * The host's public key as in known_hosts, such as `ssh-ed25519 AAAA...`, or a list of them. Mandatory: without it any
   * host would be trusted. Only keys of the listed types are requested, so one of the host's several keys is enough.
   */
  hostKey: oneOrMore(hostKey, EXPECTED_KEY),
  /** Another of `hosts`, a bastion, through which it is reached. That one may have a `proxy` of its own, and no more. */
  proxy: name.optional(),
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

const ADDRESS = "expected an http:// or https:// address";

/** Names of query parameters that carry a credential. */
const CREDENTIAL = /token|secret|passw(or)?d|^pwd$|api[-_]?key|access[-_]?key|^auth|credential|signature|^sig$|^key$/i;

/** What is wrong with an address of a health check; it may hold a credential, so nothing of it is repeated then. */
function addressProblem(address: string): string | undefined {
  const url = urlOf(address.replaceAll("{address}", "localhost"));
  if (url === undefined || !/^(https?|tcp):\/\//i.test(address)) {
    return `${ADDRESS}${address.includes("@") ? "" : `, found ${JSON.stringify(address.slice(0, 60))}`}`;
  }
  const without = "expected an address without a credential: it is stored as it is, and a process list shows it; found";
  if (url.username !== "" || url.password !== "") return `${without} a user or a password in it`;
  const parameter = [...url.searchParams.keys()].find((key) => CREDENTIAL.test(key));
  if (parameter !== undefined) return `${without} the parameter \`${parameter}\``;
  if (url.protocol !== "tcp:") return undefined;
  const bare = url.port !== "" && ["", "/"].includes(url.pathname) && url.search === "";
  return bare ? undefined : "expected tcp://HOST:PORT and nothing behind it";
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

const address = z.string(ADDRESS).superRefine((value, context) => {
  const message = addressProblem(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const scalar = z.union([z.string().min(1), z.number(), z.boolean()], "expected text, a number, true or false");
const scalars = z.union([scalar, z.array(scalar).min(1)], "expected a value or a list of values");
const texts = scalars.transform((values) => [values].flat().map(String));

const status = z.union(
  [z.literal("2xx"), z.number().int().min(100).max(599), z.array(z.number().int().min(100).max(599)).min(1)],
  "expected 2xx, an HTTP status such as 200, or a list of them",
);

/** What an answer must be to count as healthy, for an http address. What is left out is not checked. */
const healthy = settings({
  /** The HTTP status, or a list of them. Default `2xx`. */
  status: status.optional(),
  /** A field of the JSON answer; a path with dots for a nested one. Default `status` if `equals` is set. */
  field: z.string().min(1).nullable().optional(),
  /** What the field may be, such as `[UP]`: compared as text, case-sensitively. Default `healthy`. */
  equals: texts.optional(),
  /** Instead of a field: what the whole body may be, such as `OK`. */
  text: texts.optional(),
})
  .refine((rule) => Object.keys(rule).length > 0, { error: "expected status, field, equals or text, found none" })
  .refine(({ field, equals, text: body }) => body === undefined || (field == null && equals === undefined), {
    path: ["text"],
    error: "expected either `text` or `field` and `equals`, found both",
  })
  .refine(({ field, equals }) => field !== null || equals === undefined, {
    path: ["equals"],
    error: "expected only with a `field`; for a body that is no JSON set `text`",
  });

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
  healthy: healthy.optional(),
  /** Any command that restarts it, run by `sh -c`. Default `systemctl restart NAME`. */
  restart: z.string().min(1).optional(),
  /** Instead of `restart`: it runs in Kubernetes. */
  kubernetes: kubernetes.optional(),
  /** Instead of `restart`: it runs under Docker Compose. */
  compose: compose.optional(),
  /** Time limit for a restart, and again for the service to become healthy. Default 60s. */
  timeout: duration.default(parseDuration("60s")),
}).superRefine((value, context) => {
  const [, second] = ["restart", "kubernetes", "compose"].filter((way) => way in value);
  if (second !== undefined) {
    const message = "expected one way to restart it: restart, kubernetes or compose";
    context.addIssue({ code: "custom", path: [second], message });
  }
  if (value.healthy !== undefined && !(typeof value.health === "string" && /^http/i.test(value.health))) {
    const message = "expected only with an http address in `health`";
    context.addIssue({ code: "custom", path: ["healthy"], message });
  }
});

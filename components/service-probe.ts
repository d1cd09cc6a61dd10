import type { ServiceConfig } from "../config";
import type { HealthProbe, HealthRule } from "../core/health";

/** The default: any 2xx, and `"status":"healthy"`. */
const DEFAULT_RULE: HealthRule = { status: [], field: "status", equals: ["healthy"], text: null };

/** How a service's health is queried, from the host itself, and what its answer must be; `probeAt` inserts the address. */
export function probeOf({ health, healthy, proof }: Pick<ServiceConfig, "health" | "healthy" | "proof">): HealthProbe {
  if (typeof health !== "string") return { kind: "command", command: health.command };
  if (!/^tcp:/i.test(health)) {
    return {
      kind: "http",
      url: health,
      rule: ruleOf(healthy),
      ...(proof === undefined ? {} : { shows: proof.field }),
    };
  }
  const { hostname, port } = new URL(health);
  return { kind: "tcp", host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** The request that reloads a service, and what its answer must be. */
export function requestOf({ method, url, expect }: ReloadRequest): HealthProbe {
  return { kind: "http", url, method, rule: ruleOf(expect ?? { status: "2xx" }) };
}

type ReloadRequest = Extract<NonNullable<ServiceConfig["reload"]>, { readonly http: unknown }>["http"];

/** What is left out of `healthy` is not checked; `equals` alone applies to `status`, and a field alone must be `healthy`. */
function ruleOf(healthy: ServiceConfig["healthy"]): HealthRule {
  if (healthy === undefined) return DEFAULT_RULE;
  const { status = "2xx", field = healthy.equals === undefined ? null : "status", equals, text } = healthy;
  return {
    status: status === "2xx" ? [] : [status].flat(),
    field,
    equals: equals ?? DEFAULT_RULE.equals,
    text: text ?? null,
  };
}

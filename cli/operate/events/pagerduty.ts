import type { CloudEvent } from "../../../core/events";

/** Opens an incident, by severity. */
const SEVERITY: Readonly<Record<string, string>> = {
  failed: "critical",
  overdue: "critical",
  alert: "error",
  due: "warning",
  warning: "warning",
  "in-use": "warning",
};

/** What ends a rotation well resolves the incident of its secret. */
const RESOLVES = new Set(["finished", "rolled-back"]);

/**
 * An event for PagerDuty's Events API v2. All events of a secret have one incident; a rotation or a rollback that
 * succeeded resolves it.
 */
export function pagerdutyBody(
  { data, type, source, time, id }: CloudEvent,
  routingKey: string,
): Record<string, unknown> {
  const what = type.slice(type.indexOf(".") + 1);
  const common = { routing_key: routingKey, dedup_key: `${source}/${data.secret}` };
  if (RESOLVES.has(what)) return { ...common, event_action: "resolve" };
  return {
    ...common,
    event_action: "trigger",
    client: "secret-rotation",
    payload: {
      // The longest that the API takes.
      summary: data.summary.slice(0, 1024),
      source: `${data.environment}/${data.stack}`,
      severity: SEVERITY[what] ?? "info",
      timestamp: time,
      component: data.secret,
      class: what,
      custom_details: { id, text: data.text, command: data.command, generation: data.generation },
    },
  };
}

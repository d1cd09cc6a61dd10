import type { ListedEvent } from "../../audit/outbox";
import type { Delivered } from "../operate/events/deliver";
import { table } from "./table";

/** What became of one event. */
export const deliveredLine = ({ target, type, secret, outcome, error }: Delivered): string =>
  `${outcome} ${target}: ${type} for ${secret}${error === undefined ? "" : ` (${error}; sent again next time)`}`;

/** The events of a stack, each with its deliveries. */
export function renderEvents(events: readonly ListedEvent[]): string {
  if (events.length === 0) return "There are no events.";
  const rows = events.map(({ event: { time, type, subject }, deliveries }) => [
    time,
    type.slice(type.indexOf(".") + 1),
    subject,
    deliveries.map(deliveryWords).join("; "),
  ]);
  const columns = [{ title: "TIME" }, { title: "EVENT" }, { title: "SECRET" }, { title: "DELIVERIES", flexible: true }];
  return table(columns, rows);
}

function deliveryWords({ target, deliveredAt, attempts, error, expired }: ListedEvent["deliveries"][number]): string {
  if (deliveredAt !== null) return `${target}: delivered`;
  if (expired) return `${target}: NOT delivered, no longer tried (${error ?? "never sent"})`;
  return error === null ? `${target}: open` : `${target}: open after ${attempts} attempts (${error})`;
}

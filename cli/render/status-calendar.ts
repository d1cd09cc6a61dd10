import { type Html, html } from "../../audit/render/html-template";
import { DAY } from "../../core/time";
import { addDays, WEEK, weekdayOf } from "../../core/wall-clock";
import type { StatusPage } from "../operate/status-page";

/** What happens on a day. */
export interface DayEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly secret: string;
  readonly what: string;
  /** Of the badge: `warn`, `bad-text` or `good`. */
  readonly style: "warn" | "bad-text" | "good";
}

/** How many months the calendar shows. */
const MONTHS = 3;

/** What comes next for each secret, and what is past and not done, in order. */
export function eventsOf({ secrets, now }: Pick<StatusPage, "secrets" | "now">): DayEvent[] {
  const found = secrets.flatMap(({ name, dueAt, rotatedAt, inUseBefore, maxAgeDays, previous, window, paused }) => {
    const event = (at: string | null | undefined, what: string, style: DayEvent["style"]): DayEvent[] =>
      at == null ? [] : [{ at, secret: name, what, style }];
    const limit = dueAt === null || rotatedAt === null ? null : new Date(Date.parse(rotatedAt) + maxAgeDays * DAY);
    const isLate = limit !== null && limit.toISOString() <= now;
    return [
      ...event(dueAt, "rotation is due", "warn"),
      ...(window?.opensAt === dueAt ? [] : event(window?.opensAt, "its next window opens", "warn")),
      ...(inUseBefore === null
        ? event(limit?.toISOString(), isLate ? "passed its maximum age" : "reaches its maximum age", "bad-text")
        : []),
      ...(previous === null || previous.revoked
        ? []
        : event(previous.validUntil, `generation ${previous.generation} ends`, "good")),
      ...(paused === undefined
        ? []
        : event(paused.until, paused.isOver ? "its pause ended" : "its pause ends", "good")),
    ];
  });
  return found.toSorted((a, b) => a.at.localeCompare(b.at));
}

const MARKS: Readonly<Record<DayEvent["style"], string>> = { "bad-text": "b-late", warn: "b-due", good: "b-end" };

/** This month and the next ones, each day with what happens on it, in UTC. */
export function monthsOf(events: readonly DayEvent[], now: string): Html[] {
  const today = now.slice(0, 10);
  const [year, month] = [Number(today.slice(0, 4)), Number(today.slice(5, 7))];
  return Array.from({ length: MONTHS }, (_, index) => {
    const first = new Date(Date.UTC(year, month - 1 + index, 1)).toISOString().slice(0, 10);
    return monthOf(first, today, events);
  });
}

function monthOf(first: string, today: string, events: readonly DayEvent[]): Html {
  const title = new Date(first).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
  const start = addDays(first, -WEEK.indexOf(weekdayOf(first)));
  const weeks: string[][] = [];
  for (let day = start; day.slice(0, 7) <= first.slice(0, 7); day = addDays(day, 7))
    weeks.push(WEEK.map((_, index) => addDays(day, index)));
  const cell = (day: string) => (day.slice(0, 7) === first.slice(0, 7) ? dayCell(day, today, events) : html`<td></td>`);
  return html`<div class="month"><table><caption>${title}</caption>
<thead><tr>${WEEK.map((name) => html`<th scope="col" abbr="${name}">${name.slice(0, 2)}</th>`)}</tr></thead>
<tbody>${weeks.map((week) => html`<tr>${week.map(cell)}</tr>`)}</tbody></table></div>`;
}

function dayCell(day: string, today: string, events: readonly DayEvent[]): Html {
  const own = events.filter(({ at }) => at.slice(0, 10) === day);
  const number = html`<span class="${day === today ? "today" : ""}">${Number(day.slice(8))}</span>`;
  if (own.length === 0) return html`<td>${number}</td>`;
  const [style = "good"] = (["bad-text", "warn", "good"] as const).filter((one) =>
    own.some((event) => event.style === one),
  );
  const words = own.map(({ secret, what }) => `${secret}: ${what}`).join("; ");
  return html`<td title="${words}"><b class="${MARKS[style]}">${number}<span class="hidden"> ${words}</span></b></td>`;
}

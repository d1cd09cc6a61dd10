import ICAL from "ical.js";
import type { Span } from "./spans";
import { DAY } from "./time";
import { isTimeZone, momentOf, startOfDay } from "./wall-clock";

/** A time with what it is for. */
export interface NamedSpan extends Span {
  readonly name: string;
}

/** An event that repeats more often than this is not a blackout. */
const MOST = 10_000;

/** The events of an iCalendar file (RFC 5545), as far as this program reads them. @throws Error what is wrong with it */
export function eventsOf(text: string): ICAL.Event[] {
  if (!/^\uFEFF?\s*BEGIN:VCALENDAR/i.test(text)) throw new Error("it does not begin with BEGIN:VCALENDAR");
  const parsed: unknown[] = ICAL.parse(text.replace(/^\uFEFF/, ""));
  const roots = (Array.isArray(parsed[0]) ? parsed : [parsed]).map((root) => new ICAL.Component(root as string));
  const components = roots.flatMap((root) => root.getAllSubcomponents("vevent"));
  for (const component of components) assertRead(component);
  const events = components.map((component) => new ICAL.Event(component));
  // A cancelled instance of an event that repeats is kept, so that it is left out of the others.
  const masters = events.filter((event) => !event.isRecurrenceException() && !isCancelled(event.component));
  for (const event of events) {
    if (event.isRecurrenceException()) masters.find(({ uid }) => uid === event.uid)?.relateException(event);
  }
  return masters;
}

const isCancelled = (component: ICAL.Component) =>
  String(component.getFirstPropertyValue("status") ?? "").toUpperCase() === "CANCELLED";

function assertRead(component: ICAL.Component): void {
  const start = component.getFirstProperty("dtstart");
  const name = String(component.getFirstPropertyValue("summary") ?? "without a name");
  if (start === null) throw new Error(`the event ${name} has no DTSTART`);
  const zone = start.getFirstParameter("tzid");
  if (zone === undefined || isTimeZone(zone)) return;
  const known = component.parent?.getAllSubcomponents("vtimezone") ?? [];
  if (!known.some((one) => one.getFirstPropertyValue("tzid") === zone))
    throw new Error(`the event ${name} is in the time zone ${zone}, which is neither of IANA nor in the file`);
}

/**
 * The times of events that begin before `until`, in order of the events.
 *
 * @param zone of days and of times without a time zone of their own
 * @throws Error if an event repeats too often
 */
export function spansOfEvents(events: readonly ICAL.Event[], zone: string, until: number): NamedSpan[] {
  return events.flatMap((event) => spansOfEvent(event, zone, until));
}

function spansOfEvent(event: ICAL.Event, zone: string, until: number): NamedSpan[] {
  const name = event.summary ?? "blackout";
  const tzid = (property: string) => event.component.getFirstProperty(property)?.getFirstParameter("tzid");
  const moment = (time: ICAL.Time, own: string | undefined) => momentIn(time, own, zone);
  if (!event.isRecurring()) {
    const start = moment(event.startDate, tzid("dtstart"));
    const end = moment(event.endDate, tzid("dtend") ?? tzid("dtstart"));
    return [{ name, start, end: Math.max(end, start + (event.startDate.isDate ? DAY : 0)) }];
  }
  const found: NamedSpan[] = [];
  const each = event.iterator();
  for (let next = each.next(), count = 0; next; next = each.next(), count += 1) {
    if (count > MOST) throw new Error(`the event ${name} repeats more than ${MOST} times: it is no blackout`);
    const { item, startDate, endDate } = event.getOccurrenceDetails(next);
    if (moment(next, tzid("dtstart")) >= until) break;
    if (isCancelled(item.component)) continue;
    const own = item.component.getFirstProperty("dtstart")?.getFirstParameter("tzid");
    found.push({ name: item.summary ?? name, start: moment(startDate, own), end: moment(endDate, own) });
  }
  return found;
}

function momentIn(time: ICAL.Time, tzid: string | undefined, zone: string): number {
  if (time.isDate) return startOfDay(time.toString().slice(0, 10), zone);
  const { zone: own } = time;
  if (own?.tzid === "UTC") return time.toUnixTime() * 1000;
  // The system's data is newer than what a file brings along.
  if (tzid !== undefined && !isTimeZone(tzid)) return time.toUnixTime() * 1000;
  return momentOf(time.toString().slice(0, 19), tzid ?? zone);
}

import ical, { ICalAlarmType, ICalCalendarMethod } from "ical-generator";
import { ALERT_BEFORE, WARNING_BEFORE } from "../../core/deadlines";
import { slugOf } from "../../core/resource-names";
import { DAY } from "../../core/time";
import type { StackStatus } from "./read-status";

const SECONDS_A_DAY = 86_400;

/**
 * An iCalendar feed: when each secret's rotation is due, with alarms five days and two days before its maximum age, and
 * when each grace period ends. The same event keeps its id, so a calendar that subscribes moves it.
 */
export function calendarOf({
  stack,
  environment,
  secrets,
  now,
}: Pick<StackStatus, "stack" | "environment" | "secrets" | "now">): string {
  const calendar = ical({
    name: `Secret rotation, ${stack}`,
    prodId: { company: "secret-rotation", product: "rotation calendar" },
    method: ICalCalendarMethod.PUBLISH,
  });
  for (const { name, supply, dueAt, rotatedAt, inUseBefore, maxAgeDays, generation, previous, window } of secrets) {
    if (dueAt === null || rotatedAt === null) continue;
    const due = new Date(dueAt);
    const limit = new Date(Date.parse(rotatedAt) + maxAgeDays * DAY);
    const why =
      inUseBefore === null
        ? `Generation ${generation} reaches its maximum age at ${limit.toISOString()}.`
        : `The age of generation ${generation} is unknown: it was in use before ${inUseBefore}.`;
    const closes = window?.closesAt && window.opensAt === dueAt ? Date.parse(window.closesAt) : limit.getTime();
    const alarm = window?.alarm ? `${window.alarm}.\n` : "";
    const event = calendar.createEvent({
      id: `${stack}-${slugOf(name)}-rotation@secret-rotation`,
      // Grows with every rotation, so that a calendar takes the moved event as the newer one.
      sequence: Math.floor(Date.parse(rotatedAt) / 60_000),
      stamp: new Date(now),
      start: due,
      end: new Date(Math.max(closes, due.getTime() + 3_600_000)),
      summary: `${alarm === "" ? "" : "NO WINDOW LEFT: "}Rotate ${name} (${environment})`,
      description: `${alarm}${why}\n${supply ?? "rotation run"} --stack ${stack}`,
    });
    for (const before of [WARNING_BEFORE, ALERT_BEFORE]) {
      const [days, at] = [before / DAY, limit.getTime() - before];
      const triggerBefore = Math.round((due.getTime() - at) / 1000);
      event.createAlarm({
        type: ICalAlarmType.display,
        description: `${name}: ${days} days until its maximum age`,
        ...(triggerBefore > 0 ? { triggerBefore } : { triggerBefore: SECONDS_A_DAY }),
      });
    }
    if (previous === null || previous.revoked) continue;
    calendar.createEvent({
      id: `${stack}-${slugOf(name)}-grace-${previous.generation}@secret-rotation`,
      stamp: new Date(now),
      start: new Date(previous.validUntil),
      end: new Date(Date.parse(previous.validUntil) + 1_800_000),
      summary: `Grace period of ${name} ends (${environment})`,
      description: `Generation ${previous.generation} is no longer valid after this.\nrotation run --stack ${stack}`,
    });
  }
  return `${calendar.toString()}\r\n`;
}

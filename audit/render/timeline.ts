import { DAY } from "../../core/time";
import type { Incident, Report, SecretSummary } from "../report";
import { type Html, html } from "./html-template";
import { counted, day, secretTitle, when } from "./words";

const TOP = 12;
const BAR = 14;

/** A place on the time axis, in per cent of its width. */
type Scale = (iso: string | number) => number;

/** Every secret's credentials, one bar each, against their limit; what went wrong is marked above. */
export function timeline(report: Report): Html {
  const [start, end] = range(report);
  const at: Scale = (iso) => ((time(iso) - start) / (end - start)) * 100;
  const until = Math.min(time(report.to), time(report.generatedAt));
  return html`<div class="timeline">
    ${report.secrets.map((secret) => lane(secret, at, until))}
    ${axis(start, end, at)}
    <p class="legend"><span class="key fine"></span>in use <span class="key late"></span>beyond its limit
      <span class="key ahead"></span>time left <span class="key limit"></span>limit
      <span class="key failed"></span>failed <span class="key back"></span>rolled back</p>
  </div>`;
}

/** From the first day of the report to the last limit that is ahead, but not longer than twice the report's time. */
function range(report: Report): [number, number] {
  const start = time(report.from);
  const to = Math.max(time(report.to), start + DAY);
  const limits = report.secrets.map((secret) => (secret.limitAt === null ? 0 : time(secret.limitAt)));
  const last = Math.max(to, ...limits);
  return [start, Math.min(last, to + (to - start)) + (to - start) / 50];
}

function lane(secret: SecretSummary, at: Scale, until: number): Html {
  const label = `${secretTitle(secret)}: ${counted(secret.credentials.length, "credential")}, longest age ${secret.longestAgeDays ?? "unknown"} of ${secret.maxAgeDays} days`;
  return html`<div class="lane">
    <div class="name">${secretTitle(secret)}</div>
    <svg role="img" aria-label="${label}" width="100%" height="32">
      <line class="base" x1="0" x2="100%" y1="${TOP + BAR}" y2="${TOP + BAR}"/>
      ${secret.credentials.map((credential) => bars(credential, secret.maxAgeDays, at))}
      ${secret.limitAt === null ? null : ahead(secret.limitAt, at, until)}
      ${secret.incidents.map((incident) => mark(incident, at))}
    </svg>
  </div>`;
}

function bars(credential: SecretSummary["credentials"][number], maxAgeDays: number, at: Scale): Html {
  // A lease ends by itself: the bar shows that leases were in use.
  const limit = credential.leaseDays === null ? time(credential.madeAt) + maxAgeDays * DAY : Number.POSITIVE_INFINITY;
  const [from, to] = [time(credential.from), time(credential.to)];
  const late = Math.max(from, Math.min(limit, to));
  const since = credential.ageKnown ? "made" : "of unknown age, in use since before";
  const name = `generation ${credential.generation ?? "–"}, ${since} ${when(credential.madeAt)}`;
  return html`${bar("fine", from, late, `${name}, in use ${day(credential.from)} to ${day(credential.to)}`, at)}
    ${bar("late", late, to, `${name}, beyond its limit since ${day(new Date(late).toISOString())}`, at)}
    ${at(from) <= 0 ? null : html`<line class="start" x1="${at(from)}%" x2="${at(from)}%" y1="${TOP}" y2="${TOP + BAR}"/>`}`;
}

function bar(kind: string, from: number, to: number, title: string, at: Scale): Html | null {
  const [x, end] = [clamp(at(from)), clamp(at(to))];
  if (end <= x) return null;
  return html`<rect class="${kind}" x="${x}%" y="${TOP}" width="${end - x}%" height="${BAR}"><title>${title}</title></rect>`;
}

function ahead(limitAt: string, at: Scale, until: number): Html {
  const x = at(limitAt);
  const title = `limit reached ${when(limitAt)} UTC`;
  const line = html`<line class="limit" x1="${x}%" x2="${x}%" y1="4" y2="${TOP + BAR + 4}"><title>${title}</title></line>`;
  return html`${bar("ahead", until, time(limitAt), title, at)}${x > 100 || x < 0 ? null : line}`;
}

function mark(event: Incident, at: Scale): Html {
  const kind = event.status === "FAILED" ? "failed" : "back";
  const title = `${event.action} ${event.status} ${when(event.rotationDate)} UTC: ${event.reason ?? ""}`;
  return html`<circle class="${kind}" cx="${at(event.rotationDate)}%" cy="6" r="4"><title>${title}</title></circle>`;
}

/** A date at every fifth of the axis; a narrow screen shows every second one. */
function axis(start: number, end: number, at: Scale): Html {
  const ticks = [0, 1, 2, 3, 4].map((fifth) => start + ((end - start) * fifth) / 5);
  return html`<div class="lane"><div class="name"></div><svg aria-hidden="true" width="100%" height="18">
    ${ticks.map((tick) => html`<text x="${at(tick)}%" y="13">${day(new Date(tick).toISOString())}</text>`)}
  </svg></div>`;
}

const time = (iso: string | number) => (typeof iso === "number" ? iso : Date.parse(iso));

const clamp = (percent: number) => Math.min(100, Math.max(0, percent));

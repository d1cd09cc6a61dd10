import { badge, pageHead, table, tile } from "../../audit/render/html-parts";
import { type Html, html } from "../../audit/render/html-template";
import { needsRotation, type Standing } from "../operate/status";
import type { CopyCommand, PageSecret, Reader, StatusPage } from "../operate/status-page";
import { countersignedWords, detail, minute } from "./status";
import { type DayEvent, eventsOf, monthsOf } from "./status-calendar";
import { PAGE_STYLE } from "./status-page-style";

/** A sentence whose commands, in backticks, can be told apart. */
const withCode = (text: string): (Html | string)[] =>
  text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

/** The operator's page: static, without a script, nothing to send. Pure. */
export function renderStatusPage(page: StatusPage): string {
  const { stack, environment, now, secrets, logError } = page;
  const open = countersignedWords(page);
  const acting = secrets.filter(needsSomething);
  const waiting = secrets.filter(({ window }) => window?.waits != null);
  const count = (standings: readonly Standing[]) =>
    secrets.filter(({ standing }) => standings.includes(standing)).length;
  const events = eventsOf(page);
  return html`${pageHead(`Secret rotation, ${stack}`, PAGE_STYLE)}
<body>
<header>
<h1>Secret rotation, ${stack}</h1>
<p class="soft">environment ${environment} · as of ${minute(now)} UTC</p>
</header>
<main>
<div class="tiles">
${tile(count(["overdue"]), "overdue")}${tile(count(["due", "new", "unfinished", "failed"]), "to do now")}
${tile(waiting.length, "waiting")}${tile(count(["warning", "alert"]), "due soon")}${tile(count(["ok"]), "within limit")}
</div>
${logError === null ? null : html`<div class="card act"><p>The audit log could not be read: ${logError}</p></div>`}
${open === undefined ? null : html`<div class="card"><p>${withCode(open)}</p></div>`}
<h2>Now</h2>
${acting.length === 0 ? html`<div class="verdict"><p><b>Nothing has to be done.</b></p></div>` : acting.map((secret) => toDo(secret, now))}
<h2>Next</h2>
<div class="months">${monthsOf(events, now)}</div>
<p class="legend"><b class="sample b-late"></b>maximum age <b class="sample b-due"></b>rotation or window
<b class="sample b-end"></b>a grace period or a pause ends; days in UTC</p>
${nextTable(events)}
<h2>Secrets</h2>
${secrets.map((secret) => card(secret, now))}
<h2>Commands</h2>
<div class="columns">${page.commands.map(copy)}</div>
</main>
</body>
</html>
`.text;
}

const needsSomething = (secret: PageSecret) => secret.now !== null || needsRotation([secret]);

const BADGES: Readonly<Record<Standing, string>> = {
  ok: "good",
  new: "warn",
  warning: "warn",
  alert: "warn",
  due: "warn",
  overdue: "bad-text",
  unfinished: "bad-text",
  failed: "bad-text",
};

const standing = ({ standing: state }: PageSecret) => badge(BADGES[state], state === "ok" ? "within limit" : state);

function toDo(secret: PageSecret, now: string): Html {
  const isLate = BADGES[secret.standing] === "bad-text" || secret.window?.alarm != null;
  return html`<div class="card act${isLate ? "" : " wait"}"><header><h3>${secret.name}</h3>${standing(secret)}</header>
<p>${detail(secret, now)}</p>${secret.now === null ? null : copy(secret.now)}</div>`;
}

const copy = ({ command, does }: CopyCommand): Html =>
  html`<div class="pair"><code class="copy">${command}</code><span class="soft">${does}</span></div>`;

const nextTable = (events: readonly DayEvent[]): Html =>
  table(
    ["When (UTC)", "Secret", "What"],
    events.map(({ at, secret, what, style }) => [
      html`<span class="whole">${minute(at)}</span>`,
      secret,
      badge(style, what),
    ]),
  );

function card(secret: PageSecret, now: string): Html {
  const { name, generation, readers, commands, lastRow } = secret;
  return html`<section class="card"><header><h3>${name}</h3>${standing(secret)}</header>
<p>${generation === null ? "not adopted yet" : `generation ${generation}, ${ageText(secret)}`}</p>
<p class="soft">${detail(secret, now)}</p>
<div class="columns">
<div><h4>Read by</h4>${readers.length === 0 ? html`<p>nothing</p>` : tree(readers)}</div>
<div><h4>Last rotation, step by step (UTC)</h4>${steps(secret)}
${lastRow === null ? null : logged(lastRow)}</div>
</div>
<details><summary>Commands for ${name}</summary>${commands.map(copy)}</details></section>`;
}

function ageText({ ageDays, maxAgeDays, inUseBefore, lease }: PageSecret): string {
  if (lease !== undefined) return "short-lived logins, each of which ends by itself";
  return inUseBefore === null ? `${ageDays ?? "–"} of ${maxAgeDays} days old` : "of unknown age";
}

const logged = ({ action, status, rotationDate, reason }: NonNullable<PageSecret["lastRow"]>): Html =>
  html`<p>${badge(status === "SUCCESS" ? "good" : "bad-text", `${action} ${status}`)} <span class="time">${minute(rotationDate)}</span>${reason === null ? "" : `: ${reason}`}</p>`;

const tree = (readers: readonly Reader[]): Html =>
  html`<ul class="tree">${readers.map(
    ({ service, hosts }) =>
      html`<li>${service}<ul>${(hosts.length === 0 ? ["the machine that runs Pulumi"] : hosts).map((host) => html`<li class="soft">${host}</li>`)}</ul></li>`,
  )}</ul>`;

function steps({ lastRun }: PageSecret): Html {
  if (lastRun.length === 0) return html`<p class="soft">none yet</p>`;
  return html`<ol class="steps">${lastRun.map(
    ({ text, at, done }) =>
      html`<li>${text} ${done ? (at === null ? null : html`<span class="time">${at.slice(5, 19).replace("T", " ")}</span>`) : badge("bad-text", "not done")}</li>`,
  )}</ol>`;
}

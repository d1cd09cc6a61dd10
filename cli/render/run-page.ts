import { badge, pageHead, table, tile } from "../../audit/render/html-parts";
import { type Html, html } from "../../audit/render/html-template";
import { PHASE } from "../../core/phases";
import type { RunLine } from "./run-lines";
import { PAGE_STYLE } from "./status-page-style";

type Of<T extends RunLine["type"]> = Extract<RunLine, { readonly type: T }>;

/** Seconds until a browser loads the page of a run that still goes. */
const AGAIN = 2;

/**
 * A run as a page, from the lines of `rotation run --json`: while it goes, and later from a file. Static, without a script,
 * nothing to send. Pure.
 *
 * @param over whether the run has ended, in whatever way
 */
export function renderRunPage(lines: readonly RunLine[], over: boolean): string {
  const [first, last] = [lines[0], lines.at(-1)];
  const stack = first?.stack ?? "";
  const results = lines.filter(isOf("result"));
  const probes = latest(lines.filter(isOf("probe")));
  const sum = (of: (line: Of<"probe">) => number) => probes.reduce((total, line) => total + of(line), 0);
  const secrets = [...new Set(lines.map(secretIn).filter((name) => name !== ""))];
  return html`${pageHead(`Run of ${stack}`, PAGE_STYLE, over ? undefined : AGAIN)}
<body>
<header>
<h1>Secret rotation, run of ${stack}</h1>
<p class="soft">began ${clock(first)}, ${over ? "ended" : "last change"} ${clock(last)} UTC</p>
</header>
<main>
<div class="tiles">
${tile(duration(first, last), over ? "it took" : "so far")}${tile(lines.filter((line) => line.type === "restart" && line.state === "done").length, "restarts done")}
${
  probes.length === 0
    ? null
    : [
        tile(sum(({ tried }) => tried).toLocaleString("en-US"), "logins probed"),
        tile(
          sum(({ failed }) => failed),
          "of them failed",
        ),
      ]
}
</div>
${results.length === 0 ? running(last, over) : results.map(ending)}
<h2>Secrets</h2>
${secrets.length === 0 ? html`<p class="soft">None yet.</p>` : secrets.map((name) => card(name, lines, over))}
<h2>What was said</h2>
${said(lines)}
</main>
</body>
</html>
`.text;
}

/** A result names its secrets in another way. */
const secretIn = (line: RunLine): string => (line.type !== "result" && "secret" in line ? (line.secret ?? "") : "");

const isOf =
  <T extends RunLine["type"]>(type: T) =>
  (line: RunLine): line is Of<T> =>
    line.type === type;

/** The last line of each secret. */
const latest = (probes: readonly Of<"probe">[]) => [...new Map(probes.map((line) => [line.secret, line])).values()];

const clock = (line: RunLine | undefined) => (line === undefined ? "–" : line.time.slice(0, 19).replace("T", " "));

function duration(first: RunLine | undefined, last: RunLine | undefined): string {
  if (first === undefined || last === undefined) return "0 s";
  return `${Math.round((Date.parse(last.time) - Date.parse(first.time)) / 1000)} s`;
}

function running(last: RunLine | undefined, over: boolean): Html {
  const text = last?.type === "step" || last?.type === "note" ? last.text : "";
  return html`<div class="card act${over ? "" : " wait"}"><p><b>${over ? "The record ends without a result." : "Running."}</b> ${text}</p></div>`;
}

const FINE: readonly string[] = ["done", "nothing to do", "nothing due"];

function ending({ outcome, next = [], ...more }: Of<"result">): Html {
  const isFine = FINE.includes(outcome);
  const { failure, situation } = more as { failure?: { reason?: string }; situation?: string };
  return html`<div class="${isFine ? "verdict" : "card act"}"><p><b>${badge(isFine ? "good" : "bad-text", outcome)}</b> ${failure?.reason ?? ""}</p>
${situation === undefined ? null : html`<p>${situation}</p>`}
${next.map((line) => html`<code class="copy">${line}</code>`)}</div>`;
}

function card(name: string, lines: readonly RunLine[], over: boolean): Html {
  const own = lines.filter((line) => secretIn(line) === name);
  const plan = own.findLast(isOf("plan"));
  const probe = own.findLast(isOf("probe"));
  return html`<section class="card"><header><h3>${name}</h3>${plan === undefined ? null : html`<span class="soft">${plan.headline}</span>`}</header>
<div class="columns">
<div><h4>Step by step (UTC)</h4>${steps(own, over)}</div>
<div><h4>Probes</h4>${probe === undefined ? html`<p class="soft">none</p>` : probed(probe)}</div>
</div></section>`;
}

function steps(own: readonly RunLine[], over: boolean): Html {
  const items: { readonly text: string; readonly at: string; state: string }[] = [];
  for (const line of own) {
    const at = line.time.slice(11, 19);
    if (line.type === "phase" && line.phase !== "restart") {
      const text = line.phase === null ? "a step outside of every phase" : PHASE[line.phase].words;
      settle(items.filter((item) => !item.text.startsWith("restarting ")));
      if (line.state === "failed") fail(items, text, at);
      else items.push({ text, at, state: "begins" });
    } else if (line.type === "restart") {
      const text = `restarting ${line.service}${line.host === null ? "" : ` on ${line.host}`}`;
      settle(items.filter((item) => !item.text.startsWith("restarting ")));
      const known = items.findLast((item) => item.text === text && item.state === "begins");
      if (line.state === "begins" || known === undefined) items.push({ text, at, state: line.state });
      else known.state = line.state;
    }
  }
  const isFailed = items.some(({ state }) => state === "failed");
  if (over && !isFailed) settle(items);
  if (items.length === 0) return html`<p class="soft">not begun</p>`;
  return html`<ol class="steps">${items.map(({ text, at, state }) => html`<li>${text} <span class="time">${at}</span>${BADGES[state] ?? ""}</li>`)}</ol>`;
}

/** A phase is over when the next begins. */
function settle(items: readonly { state: string }[]): void {
  for (const item of items) if (item.state === "begins") item.state = "done";
}

function fail(items: { text: string; at: string; state: string }[], text: string, at: string): void {
  const known = items.findLast((item) => item.text === text);
  if (known === undefined) items.push({ text, at, state: "failed" });
  else known.state = "failed";
}

const BADGES: Readonly<Record<string, Html>> = {
  begins: html` ${badge("warn", "now")}`,
  failed: html` ${badge("bad-text", "failed")}`,
};

function probed({ tried, failed, refused, unseen, longestGapMs, unavailableSeconds, failures }: Of<"probe">): Html {
  return html`<p>${badge(failed === 0 ? "good" : "bad-text", `${failed} of ${tried.toLocaleString("en-US")} logins failed`)}</p>
<p>longest gap ${longestGapMs} ms, services unavailable ${unavailableSeconds.toFixed(1)} s</p>
${refused === 0 ? null : html`<p class="soft">${refused} refused in the known window</p>`}
${unseen === 0 ? null : html`<p class="soft">${unseen} could not be tried</p>`}
${failures.length === 0 ? null : html`<ul>${failures.map(({ at, way, words }) => html`<li><span class="time">${at.slice(11, 23)}</span> ${way}: ${words}</li>`)}</ul>`}`;
}

/** Steps of the command, notes, warnings and failed checks. */
function said(lines: readonly RunLine[]): Html {
  const rows = lines.flatMap((line) => {
    const about = secretIn(line);
    if (line.type === "step" || line.type === "note") return [[line.time.slice(11, 19), line.type, about, line.text]];
    return line.type === "finding" ? [[line.time.slice(11, 19), line.level, about, line.text]] : [];
  });
  return table(["Time (UTC)", "What", "Secret", "Text"], rows);
}

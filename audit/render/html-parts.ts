import { STYLE } from "./html-style";
import { Html, html } from "./html-template";

/** The parts that every page has: it needs nothing else, no script and no request, good in the dark and on a phone. */

/** The beginning of a page, up to its body. @param style what the page has besides the common style @param again seconds until it is loaded again */
export const pageHead = (title: string, style = "", again?: number) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
${again === undefined ? null : html`<meta http-equiv="refresh" content="${again}">\n`}<title>${title}</title>
<style>${new Html(STYLE + style)}</style>
</head>`;

export const tile = (value: string | number, name: string) => html`<div class="tile"><b>${value}</b>${name}</div>`;

export const badge = (style: string, text: string) => html`<span class="badge ${style}">${text}</span>`;

export type Cell = Html | string | number;

export const NONE = html`<p class="soft">None.</p>`;
export const TABLE_END = html`</tbody></table>`;

export const tableHead = (head: readonly string[]) =>
  html`<table><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
`;

export const tableRow = (head: readonly string[], cells: readonly Cell[]) =>
  html`<tr>${cells.map((value, index) => html`<td data-label="${head[index]}"><span>${value}</span></td>`)}</tr>\n`;

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  if (rows.length === 0) return NONE;
  return html`${tableHead(head)}${rows.map((row) => tableRow(head, row))}${TABLE_END}`;
}

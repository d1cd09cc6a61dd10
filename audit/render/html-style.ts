/** The page's style: light and dark, screen, phone and paper. Colours also differ in shape or pattern. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #59636e; --page: #fff; --panel: #f6f8fa; --line: #d1d9e0;
  --fine: #2f7d4f; --late: #c0271f; --warn: #9a6700; --ahead: #b9d8c5; --back: #8250df; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9da7b1; --page: #0d1117; --panel: #161b22;
  --line: #30363d; --fine: #3fb968; --late: #ff6a61; --warn: #d9a227; --ahead: #1f4a30; --back: #b083f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 24px; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
p, li, td, .name { overflow-wrap: anywhere; }
h1 { font-size: 1.6em; margin: 0 0 4px; } h2 { font-size: 1.15em; margin: 32px 0 8px; }
p { margin: 4px 0; } .soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 20px 0; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 1.5em; }
.verdict { border-left: 5px solid var(--fine); background: var(--panel); padding: 10px 14px; border-radius: 4px; }
.verdict.bad { border-color: var(--late); } code { font-size: .86em; }
table { border-collapse: collapse; width: 100%; font-size: .92em; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } th, .whole { white-space: nowrap; }
.badge { font-weight: 600; white-space: nowrap; } .good { color: var(--fine); } .bad-text { color: var(--late); }
.warn { color: var(--warn); }
.badge::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .45em;
  border-radius: 50%; background: currentColor; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.bad-text.badge::before { border-radius: 0; clip-path: polygon(50% 0, 100% 100%, 0 100%); }
.warn.badge::before { border-radius: 0; clip-path: polygon(50% 0, 100% 50%, 50% 100%, 0 50%); }
.timeline { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.lane { display: grid; grid-template-columns: minmax(120px, 22%) 1fr; align-items: center; gap: 10px; }
.lane rect { rx: 2px; } .lane + .lane { margin-top: 4px; }
.lane svg { display: block; overflow: visible; } .lane .name { font-size: .9em; }
.lane text { font-size: 11px; fill: var(--soft); }
.fine { fill: var(--fine); background: var(--fine); } .late { fill: var(--late); background: var(--late); }
.ahead { fill: var(--ahead); background: var(--ahead); } .base { stroke: var(--line); }
.start { stroke: var(--page); stroke-width: 2; } line.limit { stroke: var(--text); stroke-width: 2; stroke-dasharray: 3 2; }
.failed { fill: var(--late); background: var(--late); } .back { fill: var(--back); background: var(--back); }
.legend { color: var(--soft); font-size: .85em; margin-top: 8px; }
.key { display: inline-block; width: 12px; height: 10px; margin: 0 5px 0 12px; }
.key:first-child { margin-left: 0; } .key.limit { width: 0; height: 12px; border-left: 2px dashed var(--text); }
.key.failed, .key.back { width: 9px; height: 9px; border-radius: 50%; }
@media (min-width: 701px) {
  [data-label="Row"], [data-label^="Date"], [data-label="Action"], [data-label="Took"] { white-space: nowrap; }
  [data-label="Secret"] { min-width: 10.5em; } [data-label="Took"], [data-label="Row"] { font-variant-numeric: tabular-nums; }
}
@media (max-width: 700px) {
  body { padding: 14px; } .lane { grid-template-columns: 1fr; gap: 0; } .lane text:nth-child(even) { display: none; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; } tr { border-bottom: 1px solid var(--line); padding: 8px 0; }
  td { border: 0; padding: 1px 0; display: grid; grid-template-columns: 110px 1fr; gap: 8px; text-align: left; }
  td::before { content: attr(data-label); color: var(--soft); }
}
@media print {
  :root { --text: #000; --soft: #444; --page: #fff; --panel: #fff; --line: #999; --fine: #2f7d4f; --late: #c0271f;
    --warn: #7a5200; --ahead: #cfe5d8; --back: #8250df; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  svg, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  tr, .tile, .lane, .verdict { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; }
  @page { size: A4; margin: 15mm; }
}`;

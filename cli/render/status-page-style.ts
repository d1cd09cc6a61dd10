/** What the operator's page has besides the report's style. */
export const PAGE_STYLE = `
h3 { font-size: 1.05em; margin: 0; } h4 { font-size: .85em; margin: 14px 0 2px; color: var(--soft); }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; margin: 12px 0; }
.card > header { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; justify-content: space-between; }
.act { border-left: 5px solid var(--late); } .act.wait { border-left-color: var(--warn); }
.copy { display: block; background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: 6px 9px;
  margin: 6px 0 2px; overflow-wrap: anywhere; user-select: all; -webkit-user-select: all; }
.pair { margin: 0 0 8px; } .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 0 28px; }
ul.tree, ol.steps { margin: 2px 0; padding-left: 1.3em; } ul.tree ul { padding-left: 1.2em; } .steps li::marker { color: var(--soft); }
.time { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.months { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 12px; }
.month { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; }
.month table { display: table; table-layout: fixed; font-size: .86em; } .month caption { font-weight: 600; text-align: left; padding: 2px 0; }
.month thead { position: static; width: auto; height: auto; clip-path: none; display: table-header-group; }
.month tbody { display: table-row-group; } .month tr { display: table-row; padding: 0; border: 0; }
.month th, .month td { display: table-cell; text-align: center; padding: 3px 0; border: 0; white-space: nowrap; }
.month td::before { content: none; } .month td b { display: inline-block; min-width: 1.9em; border-radius: 5px; border: 2px solid; }
.month .today { text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px; }
.b-late { color: var(--late); } .b-due { color: var(--warn); border-style: dashed !important; } .b-end { color: var(--soft); border-style: dotted !important; }
.sample { display: inline-block; width: 1.1em; height: .9em; border: 2px solid; border-radius: 4px; margin: 0 .4em 0 .9em; vertical-align: -1px; }
.sample:first-child { margin-left: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
details > summary { cursor: pointer; color: var(--soft); margin-top: 10px; }
`;

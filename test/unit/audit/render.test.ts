import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderCsv } from "../../../audit/render/csv";
import { renderHtml } from "../../../audit/render/html";
import { escapeHtml, html } from "../../../audit/render/html-template";
import { renderJson } from "../../../audit/render/json";
import { renderMarkdown } from "../../../audit/render/markdown";
import { logRow, ROWS, report, textOf } from "./example";

const nasty = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onload='x",
  "&lt;b&gt;",
  "=HYPERLINK(1)",
  "| a | b\n# c",
  "[a](https://example.org) @team `x` ![i](x)",
];
const withReason = (reason: string, name = "database/password") =>
  report({}, [...ROWS, logRow(10, "2026-08-01", { reason, secretName: name, rotatedBy: reason, status: "FAILED" })]);

describe("JSON", () => {
  it("is the report, laid out as JSON.stringify does it", async () => {
    for (const written of [report(), report({}, [], [])]) {
      expect(await textOf(renderJson(written))).toBe(`${JSON.stringify(written, null, 2)}\n`);
    }
  });
});

describe("CSV", () => {
  /** A reader of RFC 4180. */
  function parse(text: string): string[][] {
    const rows: string[][] = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
      rows.at(-1)?.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
      if (end !== ",") rows.push([]);
    }
    return rows.slice(0, -1);
  }

  it("has a head and every row of the report's time", async () => {
    const [head, ...rows] = parse(await textOf(renderCsv(report())));
    expect(head?.slice(0, 5)).toEqual(["id", "secretName", "rotatedBy", "rotationDate", "status"]);
    expect(rows.map(([id]) => id)).toEqual(["3", "4", "5", "6", "7", "8", "9"]);
    expect(rows[0]?.[11]).toBe('{"path":"secret/prod/database/password","version":3}');
    expect(rows[3]?.[10]).toBe("");
  });

  it("gives every text back, and none that a spreadsheet would run", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[=+\-@\t\r].*/)), async (reason) => {
        const text = parse(await textOf(renderCsv(withReason(reason)))).at(-1)?.[9];
        expect(text === reason || text === `'${reason}`).toBe(true);
        expect(text).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });
});

describe("HTML", () => {
  it("escapes every value, in text and in attributes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
        expect(html`<p title="${text}">${[text]}</p>`.text).toBe(`<p title="${escaped}">${escaped}</p>`);
      }),
    );
  });

  it.each(nasty)("holds no tag and no attribute that came from the log: %s", async (text) => {
    const bare = (page: string) => page.replaceAll(/"[^"<>]*"/g, "").match(/<[^>]*>/g) ?? [];
    const page = await textOf(renderHtml(withReason(text, text)));
    expect(new Set(bare(page))).toEqual(new Set(bare(await textOf(renderHtml(withReason("harmless", "harmless"))))));
    expect(page).toContain(escapeHtml(text));
  });

  it("asks nobody for anything", async () => {
    const page = await textOf(renderHtml(report()));
    expect(page).not.toMatch(/https?:|url\(|@import|<script|src=/);
    expect(page).toContain("default-src 'none'");
  });

  it("names what broke the chain", async () => {
    const problems = [{ id: 5, kind: "changed" as const, message: "row 5 does not match its hash" }];
    const page = await textOf(
      renderHtml(report({ chain: { ...report().chain, valid: false, problems: [...problems] } })),
    );
    expect(page).toContain("Not intact.");
    expect(page).toContain("row 5 does not match its hash");
  });
});

describe("Markdown", () => {
  it("has the tables, the verdict and the controls", async () => {
    const text = await textOf(renderMarkdown(report()));
    expect(text).toContain("| database/password (prod) | within limit | 58 of 90 days | 2026-10-03 | 90 | 3 | 1 | 1 |");
    expect(text).toContain("| PCI DSS 3.6.4 |");
    expect(text).toContain("The chain is intact: 9 rows");
  });

  it.each(nasty)("keeps to its tables, whatever the log holds: %s", async (reason) => {
    const text = await textOf(renderMarkdown(withReason(reason)));
    const cells = (line: string) => line.replaceAll(/\\./g, "").split("|").length;
    const rows = text.split("\n").filter((line) => line.startsWith("| 10 |"));
    expect(rows.map(cells)).toEqual([11]);
    expect(rows[0]).not.toMatch(/(?<!\\)[<>`[]|@team|https:\/\//);
  });
});

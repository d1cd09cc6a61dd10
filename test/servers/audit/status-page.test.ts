import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderHtml } from "../../../audit/render/html";
import { renderStatusPage } from "../../../cli/render/status-page";
import { report, textOf } from "../../unit/audit/example";
import { examplePage } from "../../unit/cli/status-page-example";
import { startBrowser } from "./browser";

let browser: Browser;
let stop: () => Promise<void>;
let axe: string;

beforeAll(async () => {
  ({ browser, stop } = await startBrowser());
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});
afterAll(async () => {
  await stop?.();
});

/** Opens a page as a file's content, without the policy that would keep axe out; the page itself runs nothing. */
async function open(html: string, options: BrowserContextOptions): Promise<{ page: Page; requests: string[] }> {
  const context = await browser.newContext({ ...options, bypassCSP: true });
  const page = await context.newPage();
  const requests: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) requests.push(request.url());
  });
  await page.setContent(html, { waitUntil: "load" });
  return { page, requests };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate("axe.run(document)")) as { readonly violations: readonly Violation[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

const VIEWS = [
  { width: 400, colorScheme: "light" },
  { width: 1200, colorScheme: "light" },
  { width: 1200, colorScheme: "dark" },
  { width: 400, colorScheme: "dark" },
] as const;

describe.each([
  ["the operator's page", async () => renderStatusPage(examplePage())],
  ["the report", async () => textOf(renderHtml(report()))],
])("%s", (_, render) => {
  it.each(VIEWS)(
    "at $width pixels, $colorScheme: axe finds nothing, nothing overflows, nothing is requested",
    async ({ width, colorScheme }) => {
      const { page, requests } = await open(await render(), { viewport: { width, height: 900 }, colorScheme });
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      expect(requests).toEqual([]);
      await page.context().close();
    },
  );
});

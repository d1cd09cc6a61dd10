import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderHtml } from "../../../audit/render/html";
import { logRow, ROWS, report, textOf } from "../../unit/audit/example";
import { startBrowser } from "./browser";

let browser: Browser;
let stop: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-"));
  ({ browser, stop } = await startBrowser());
});
afterAll(async () => {
  await stop?.();
  await rm(folder, { recursive: true, force: true });
});

interface Opened {
  page: Page;
  /** What the page asked for beyond itself, and what it complained about. */
  complaints: string[];
}

async function open(html: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const file = join(folder, `${Math.random()}.html`);
  await writeFile(file, html);
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const address = pathToFileURL(file).href;
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => complaints.push(dialog.message()));
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) complaints.push(request.url());
  });
  await page.goto(address, { waitUntil: "networkidle" });
  return { page, complaints };
}

const box = async (page: Page, selector: string) => {
  const found = await page.locator(selector).first().boundingBox();
  if (!found) throw new Error(`expected ${selector} to be visible`);
  return found;
};

const background = (page: Page) => page.evaluate("getComputedStyle(document.body).backgroundColor");

describe("the report in a browser", () => {
  it("draws the timeline, asks nobody for anything and complains about nothing", async () => {
    const { page, complaints } = await open(await textOf(renderHtml(report())));
    expect(complaints).toEqual([]);
    expect(await page.locator(".lane svg[role=img]").count()).toBe(2);
    expect(await page.locator("rect.fine").count()).toBe(8);
    expect(await page.locator("rect.late").count()).toBe(1);
    expect(await page.locator("circle.failed").count()).toBe(1);
    expect(await page.locator("circle.back").count()).toBe(1);
    const lane = await box(page, ".lane svg");
    const bars = await page.locator(".lane").first().locator("rect").all();
    for (const bar of bars) {
      const found = await bar.boundingBox();
      expect(found?.width).toBeGreaterThan(0);
      expect(found?.x).toBeGreaterThanOrEqual(lane.x - 1);
      expect((found?.x ?? 0) + (found?.width ?? 0)).toBeLessThanOrEqual(lane.x + lane.width + 1);
    }
    // The credential in use takes up 58 days of the lane's width, which is 184 days and what lies ahead.
    const inUse = await bars.at(-2)?.boundingBox();
    expect((inUse?.width ?? 0) / lane.width).toBeCloseTo(58 / (231 + 184 / 50), 2);
  });

  it("runs nothing that the log holds", async () => {
    const reason = `"><script>alert(1)</script><img src="https://example.org/x" onerror="alert(2)">' onload='alert(3)`;
    const rows = [
      ...ROWS,
      logRow(10, "2026-08-01", { reason, secretName: reason, rotatedBy: reason, status: "FAILED" }),
    ];
    const { page, complaints } = await open(await textOf(renderHtml(report({}, rows))));
    expect(complaints).toEqual([]);
    expect(await page.locator("script, img").count()).toBe(0);
    expect(await page.locator("td", { hasText: reason }).count()).toBeGreaterThan(0);
  });

  it("is read without scrolling sideways on a phone of 400 pixels", async () => {
    const { page, complaints } = await open(await textOf(renderHtml(report())), {
      viewport: { width: 400, height: 800 },
    });
    expect(complaints).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(400);
    expect((await box(page, ".lane svg")).width).toBeGreaterThan(300);
    const size = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('td')).fontSize)");
    expect(size).toBeGreaterThanOrEqual(13);
    const label = await page.evaluate("getComputedStyle(document.querySelector('td'), '::before').content");
    expect(label).toMatch(/Secret|data-label/);
  });

  it("is dark where the reader wants it dark", async () => {
    const light = await open(await textOf(renderHtml(report())), { colorScheme: "light" });
    const dark = await open(await textOf(renderHtml(report())), { colorScheme: "dark" });
    expect(await background(light.page)).toBe("rgb(255, 255, 255)");
    expect(await background(dark.page)).toBe("rgb(13, 17, 23)");
  });

  it("goes on paper: white, with every row", async () => {
    const { page } = await open(await textOf(renderHtml(report())), { colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    expect(await background(page)).toBe("rgb(255, 255, 255)");
    expect(await page.locator("tbody tr").count()).toBe(2 + 3 + 7);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  });
});

// A browser window that keeps count of all that goes wrong in it, and looks at a page as people with
// poor sight, a small screen or a screen reader meet it.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const require = createRequire(path.join(root, "target/walk/"));
export const { chromium } = require("playwright-core");
const axe = readFileSync(path.join(root, "target/axe/node_modules/axe-core/axe.min.js"), "utf8");
const pictures = path.join(root, "target/pictures");
mkdirSync(pictures, { recursive: true });

// Of a long list, the beginning.
const MOST = 3000;
const SIZES = { 1440: { width: 1440, height: 900 }, 390: { width: 390, height: 844 } };

// All that was found, said at the end: one fault does not hide the next.
export const faults = [];
export const fault = (where, what) => {
  faults.push(`${where}: ${what}`);
  console.log(`  ✗ ${where}: ${what}`);
};
export const expect = (is, where, what) => { if (!is) fault(where, what); };
export const same = (found, wanted, where) =>
  expect(JSON.stringify(found) === JSON.stringify(wanted), where, `found ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`);

export class Window {
  static async open(browser, base, width) {
    const context = await browser.newContext({
      baseURL: base, viewport: SIZES[width], locale: "zh-CN", timezoneId: "Asia/Shanghai",
      isMobile: width < 800, hasTouch: width < 800, acceptDownloads: true,
    });
    context.setDefaultTimeout(15000);
    const page = await context.newPage();
    const window = new Window(page, width);
    const where = () => `${width} ${new URL(page.url(), base).pathname}`;
    page.on("console", (said) => {
      if (["error", "warning"].includes(said.type())) fault(where(), `console: ${said.text()}`);
    });
    page.on("pageerror", (error) => fault(where(), `script: ${error}`));
    page.on("requestfailed", (request) => {
      // A page that is left lets go of its stream; a download leaves the page where it is.
      const why = request.failure()?.errorText ?? "";
      if (why !== "net::ERR_ABORTED") fault(where(), `request ${request.url()}: ${why}`);
    });
    page.on("response", (answer) => {
      if (answer.status() >= 400) fault(where(), `${answer.status()} for ${answer.url()}`);
    });
    return window;
  }

  constructor(page, width) {
    this.page = page;
    this.width = width;
  }

  async goto(address) { await this.page.goto(address, { waitUntil: "load" }); }

  // Presses what leads to another page, and waits until that page is there.
  async follow(locator) {
    const from = this.page.url();
    const answered = this.page.waitForEvent("framenavigated", (frame) => frame === this.page.mainFrame());
    await locator.click();
    await answered;
    await this.page.waitForLoadState("load");
    return from;
  }

  async count(css) { return this.page.locator(css).count(); }
  async text(css) { return (await this.page.locator(css).first().innerText()).trim(); }

  // The first number in what an element says.
  async number(css) {
    const found = /\d+/.exec(await this.text(css));
    return found ? Number(found[0]) : NaN;
  }

  // The page as it is: nobody is kept out, nothing is wider than the window; and its picture.
  async look(name) {
    const where = `${this.width} ${name}`;
    const height = Math.min(MOST, await this.page.evaluate(() => document.documentElement.scrollHeight));
    await this.page.screenshot({
      path: path.join(pictures, `${name}-${this.width}.png`), fullPage: true, animations: "disabled",
      clip: { x: 0, y: 0, width: this.width, height },
    });
    const wide = () => this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const over = await wide();
    expect(over <= 0, where, `wider than its window by ${over} px`);
    await this.page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
    const unfolded = await wide();
    expect(unfolded <= 0, where, `unfolded, wider than its window by ${unfolded} px`);
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(async () => {
      const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
      const grave = violations.filter((one) => ["serious", "critical"].includes(one.impact));
      return grave.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    });
    for (const one of found) fault(where, one);
  }
}

// For everybody: axe finds nothing, the keyboard alone is enough, phones and large screens, light and dark, paper.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

import { BINARY, browse, derived, serve } from "./server.js";

const PICTURES = new URL("../../target/page/", import.meta.url);
const AXE = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
let server;
let browser;

before(async () => {
  server = await serve();
  browser = await browse(server.url);
  await mkdir(PICTURES, { recursive: true });
});

after(async () => {
  await browser.close();
  await server.end();
});

const VIEWS = {
  derive: ["#derive?sizes=shown", derived],
  hessians: ["#derive?example=second-order", derived],
  mistake: ["#derive?program=f%20%3D%20tr(X%20%2B", (page) => page.waitForSelector(".mistake")],
  graph: ["#graph", (page) => page.waitForSelector(".node")],
  verify: ["#verify", (page) => page.waitForSelector(".verdicts .step.wrong")],
  train: [
    "#train?epochs=4&hidden=32",
    async (page) => {
      await page.click("#start");
      await page.waitForSelector("#outcome[data-state=finished]", { timeout: 120_000 });
    },
  ],
};
const SCREENS = {
  wide: { viewport: { width: 1440, height: 1000 } },
  dark: { viewport: { width: 1440, height: 1000 }, colorScheme: "dark" },
  narrow: { viewport: { width: 360, height: 740 } },
  huge: { viewport: { width: 2560, height: 1440 } },
};

for (const [screen, options] of Object.entries(SCREENS)) {
  for (const [view, [address, ready]] of Object.entries(VIEWS)) {
    test(`${view}, ${screen}: axe finds nothing, and nothing stands over the edge`, async () => {
      const page = await browser.page(address, options);
      await ready(page);
      await page.evaluate(() => new Promise((done) => setTimeout(done, 200)));
      await page.screenshot({ path: new URL(`${view}-${screen}.png`, PICTURES).pathname, fullPage: screen === "narrow" });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${over} pixels over the edge`);
      // The policy of the page lets no script in but its own, so axe comes through the browser's own door.
      const session = await page.context().newCDPSession(page);
      await session.send("Runtime.evaluate", { expression: AXE });
      const found = await page.evaluate(async () => (await window.axe.run(document)).violations);
      const told = found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary.slice(0, 300)}`).join(" | ")}`);
      assert.deepEqual(told, []);
      await page.context().close();
    });
  }
}

test("the page of the API: axe finds nothing", async () => {
  const page = await browser.page();
  await page.goto(`${server.url}api/`);
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: AXE });
  const found = await page.evaluate(async () => (await window.axe.run(document)).violations.map(({ id }) => id));
  assert.deepEqual(found, []);
  await page.context().close();
});

test("the report of a training: axe finds nothing, nothing stands over the edge, and it asks nobody", async (test) => {
  const folder = await mkdtemp(join(tmpdir(), "report-"));
  const report = join(folder, "report.html");
  await promisify(execFile)(BINARY, ["train", "--quiet", "--epochs", "3", "--hidden", "70", "--precision", "f32", "--report", report]);
  const alone = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  test.after(() => Promise.all([alone.close(), rm(folder, { recursive: true })]));
  for (const [screen, view] of Object.entries({ ...SCREENS, "narrow-dark": { ...SCREENS.narrow, colorScheme: "dark" } })) {
    const page = await (await alone.newContext(view)).newPage();
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => asked.push(message.text()));
    await page.goto(pathToFileURL(report).href);
    await page.screenshot({ path: new URL(`report-${screen}.png`, PICTURES).pathname, fullPage: true });
    assert.deepEqual(asked.filter((url) => !url.startsWith("data:")), [pathToFileURL(report).href]);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${screen}: ${over} pixels over the edge`);
    await page.evaluate(AXE);
    // What scrolls is reached by the keyboard in the browser's own way: without a script a page does not know what scrolls.
    const options = { rules: { "scrollable-region-focusable": { enabled: false } } };
    const found = await page.evaluate(async (options) => (await window.axe.run(document, options)).violations, options);
    assert.deepEqual(found.map(({ id, nodes }) => `${screen}: ${id}: ${nodes[0].html.slice(0, 160)}`), []);
  }
});

test("with the keyboard alone: an example, a mistake, its place, the steps, a tab", async () => {
  const page = await browser.page();
  await derived(page);
  /** Tab until something has the focus. */
  const to = async (selector) => {
    for (let i = 0; i < 200; i++) {
      if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${selector}`);
  };
  await to("#gallery");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await derived(page);
  assert.match(await page.inputValue("#program"), /^a : vector/);
  await to("#program");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("g = sum(a");
  await page.waitForSelector(".mistake");
  await page.keyboard.press("Escape");
  await to(".mistake .place");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "program");
  await page.keyboard.press("Control+End");
  await page.keyboard.type(")\ngrad g wrt a");
  await derived(page);
  assert.equal(await page.locator("#work h1").count(), 2);
  await to(".walk button:nth-of-type(3)");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  assert.match(await page.locator(".walk .count").first().textContent(), /^Step 2/);
  await page.evaluate(() => document.body.focus());
  await page.locator("nav [data-view=graph]").focus();
  await page.keyboard.press("Enter");
  await to(".node");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".node.chosen").count(), 1);
  await page.goBack();
  assert.equal(await page.locator("#work:visible").count(), 1);
  await page.context().close();
});

test("a screen reader hears formulas, titles and what happens", async () => {
  const page = await browser.page();
  await derived(page);
  const silent = await page.locator("#work math:not([alttext])").count();
  assert.equal(silent, 0, "each formula has its text");
  assert.match(await page.locator("#status[role=status]").textContent(), /Derived in .* Checked: 4 gradients/);
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("input, select, textarea, button")].filter((field) => !field.labels?.length && !field.textContent && !field.ariaLabel).length,
  );
  assert.equal(unnamed, 0);
  await page.context().close();
});

test("on paper there is the derivation alone", async () => {
  const page = await browser.page();
  await derived(page);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("header:visible, .pen:visible, .walk:visible, .formats:visible").count(), 0);
  assert.ok(await page.locator("#work .derivation").isVisible());
  await page.screenshot({ path: new URL("paper.png", PICTURES).pathname, fullPage: true });
  await page.context().close();
});

test("the first view is small and is read once", async () => {
  const page = await browser.page();
  // What the load before still asks for is none of the view that is measured.
  await derived(page);
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  let bytes = 0;
  client.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  await page.reload();
  await derived(page);
  assert.ok(bytes > 50_000 && bytes < 300_000, `${bytes} bytes`);
  console.log(`the first view: ${bytes} bytes, the derivation and its check with it`);
  await page.context().close();
});

test("no page complained, and none asked anybody else", () => {
  assert.deepEqual(browser.wrong, []);
});

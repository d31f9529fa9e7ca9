// Each of the tabs as a person uses it.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { browse, derived, serve } from "./server.js";

let server;
let browser;

before(async () => {
  server = await serve();
  browser = await browse(server.url);
});

after(async () => {
  await browser.close();
  const ended = await server.end();
  assert.deepEqual(ended, { code: 0, signal: null }, "the server ends by itself");
});

test("a loss is typed and its derivation is there", async () => {
  const page = await browser.page();
  await derived(page);
  assert.equal(await page.locator("#work h1").textContent(), "Gradients of L with respect to W1, b1, W2 and b2");
  assert.equal(await page.locator(".verdict.ok").count(), 4);
  await page.fill("#program", "a : vector(m)\nX : matrix(m, n)\nb : vector(n)\nf = a'*X*b\ngrad f wrt X");
  await page.waitForFunction(() => document.querySelectorAll("#work .result .asked").length === 1);
  await derived(page);
  const spoken = await page.locator("#work .result .right math").first().getAttribute("alttext");
  assert.equal(spoken, "= a*b'");
  const rules = await page.locator(".derivation .rule").allTextContents();
  assert.ok(rules.includes("product") && rules.includes("read-off"), rules.join());
  await page.context().close();
});

test("a mistake is underlined where it is, with the message of the command line, and its repair is shown at once", async () => {
  const page = await browser.page("#derive?program=X%20%3A%20matrix(m%2C%20n)%0Af%20%3D%20tr(X)%0Agrad%20f%20wrt%20X");
  await page.waitForSelector(".mistake");
  const message = await page.locator(".mistake .what").first().textContent();
  assert.match(message, /tr.*square/);
  const underlined = await page.locator("#editor .layer .wrong").allTextContents();
  assert.equal(underlined.join(""), "tr(X)".slice(0, underlined.join("").length));
  await page.locator(".mistake .place").first().click();
  const at = await page.evaluate(() => document.activeElement.selectionStart);
  assert.ok(at >= 21 && at <= 27, `the caret is at ${at}`);
  await page.fill("#program", "X : matrix(m, n)\nf = tr(X'*X)\ngrad f wrt X");
  await derived(page);
  assert.equal(await page.locator(".mistake").count(), 0);
  assert.equal(await page.locator("#editor .layer .wrong").count(), 0);
  assert.equal(await page.locator("#work.stale").count(), 0);
  assert.equal(await page.locator("#work .result .right math").first().getAttribute("alttext"), "= 2*X");
  await page.context().close();
});

test("names, functions and Greek letters are completed", async () => {
  const page = await browser.page("#derive?program=");
  await page.locator("#program").click();
  await page.keyboard.type("Wide : matrix(m, n)\nf = sum(Wi");
  await page.waitForSelector("#words li");
  assert.match(await page.locator("#words li").first().textContent(), /^Wide/);
  await page.keyboard.press("Tab");
  await page.keyboard.type(".^2)\n");
  await page.keyboard.type("g = \\lambda ");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("*softp");
  assert.match(await page.locator("#words li[aria-selected=true]").textContent(), /^softplus/);
  await page.keyboard.press("Enter");
  const text = await page.inputValue("#program");
  assert.ok(text.endsWith("f = sum(Wide.^2)\ng = *softplus(") || text.endsWith("f = sum(Wide.^2)\ng = λ*softplus("), text);
  await page.context().close();
});

test("the derivation unfolds step by step, and what a step changed is marked", async () => {
  const page = await browser.page();
  await derived(page);
  const all = await page.locator(".derivation .right").count();
  assert.ok(all > 20);
  await page.getByRole("button", { name: "Show the derivation step by step" }).click();
  assert.equal(await page.locator(".derivation .right:visible").count(), 1);
  await page.getByRole("button", { name: "Next step" }).click();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator(".derivation .right:visible").count(), 3);
  assert.match(await page.locator(".walk .count").textContent(), /^Step 3 of \d+: /);
  assert.ok((await page.locator(".derivation .right.now .changed").count()) > 0);
  await page.getByRole("button", { name: "Show all steps" }).click();
  assert.equal(await page.locator(".derivation .right:visible").count(), all);
  await page.mouse.move(5, 5);
  const rule = page.locator(".why > .rule[tabindex]").first();
  await rule.focus();
  assert.ok((await page.locator("#tip:visible math").count()) > 0, "the rule's statement is there");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#tip:visible").count(), 0);
  await page.context().close();
});

test("sizes, steps and forms are those that are chosen", async () => {
  const page = await browser.page();
  await derived(page);
  await page.getByLabel("Sizes", { exact: true }).check();
  const below = await page.locator(".sized .size").allTextContents();
  assert.ok(below.includes("N×D") && below.includes("H×C"), below.slice(0, 9).join());
  await page.getByLabel("Sizes", { exact: true }).uncheck();
  assert.equal(await page.locator(".sized").count(), 0);
  await page.selectOption("#steps", "none");
  await page.waitForFunction(() => !document.querySelector(".derivation"));
  await derived(page);
  const pre = page.locator(".formats pre");
  for (const [form, expected] of [
    ["text", "1/N*(P - Y)"],
    ["latex", "\\frac{\\partial L}{\\partial W_{1}}"],
    ["markdown", "$$"],
    ["json", '"results"'],
    ["code:numpy", "import numpy as np"],
    ["code:torch", "torch"],
    ["code:jax", "jax"],
    ["code:julia", "function"],
    ["code:matlab", "function"],
    ["code:rust", "fn "],
    ["code:c", "#include"],
    ["code:stablehlo", "dimension"],
  ]) {
    await page.selectOption(".formats select", form);
    await page.waitForFunction((words) => document.querySelector(".formats pre").textContent.includes(words), expected);
  }
  await page.selectOption(".formats select", "code:numpy");
  await page.waitForFunction(() => document.querySelector(".formats pre").textContent.includes("import numpy"));
  await page.locator(".formats button").click();
  await page.waitForFunction(() => document.querySelector(".formats button").textContent === "Copied");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await pre.textContent());
  await page.context().close();
});

test("every example of the gallery is derived and checked; Hessians and Jacobians stand in their forms", async () => {
  const page = await browser.page();
  await derived(page);
  const names = await page.locator("#gallery option").evaluateAll((options) => options.map(({ value }) => value).filter(Boolean));
  assert.ok(names.length > 20);
  for (const name of names) {
    await page.selectOption("#gallery", name);
    await derived(page);
    const [asked, ok] = [await page.locator("#work .asked").count(), await page.locator(".verdict.ok").count()];
    assert.ok(asked > 0 && asked === ok, `${name}: ${ok} of ${asked}`);
  }
  await page.selectOption("#gallery", "log-determinant");
  await derived(page);
  const forms = await page.locator("#work .result .left math").evaluateAll((list) => list.map((math) => math.textContent));
  assert.equal(forms.filter((form) => form.includes("∂")).length, 3, forms.join());
  await page.context().close();
});

test("a link shows the same", async () => {
  const page = await browser.page();
  await derived(page);
  await page.fill("#program", "w : vector(n)\nS : posdef(n)\nf = sqrt(w'*S*w)  # risk & <return>\ngrad f wrt w");
  await page.selectOption("#steps", "brief");
  await page.getByLabel("Sizes", { exact: true }).check();
  await derived(page);
  await page.click("#share");
  const address = await page.evaluate(() => navigator.clipboard.readText());
  const other = await browser.page(address.slice(server.url.length));
  await derived(other);
  assert.equal(await other.inputValue("#program"), await page.inputValue("#program"));
  assert.equal(await other.locator("#work").innerText(), await page.locator("#work").innerText());
  assert.equal(await other.inputValue("#steps"), "brief");
  await page.context().close();
  await other.context().close();
});

test("the graph shows definitions and adjoints, and the formula of the node that is chosen", async () => {
  const page = await browser.page("#graph");
  await page.waitForSelector(".node");
  const names = await page.locator(".node").evaluateAll((nodes) => nodes.map((node) => node.querySelector("title").textContent));
  assert.ok(names.includes("definition H₁, N × H") && names.includes("adjoint G_Z₁, N × H") && names.includes("result ∂L/∂W₁, D × H"), names.join());
  assert.ok((await page.locator(".edge.back").count()) >= 5);
  await page.locator(".node.adjoint").first().click();
  assert.match(await page.locator(".drawing .formula math").getAttribute("alttext"), /^G_Z[12] = /);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".node.chosen").count(), 1);
  await page.context().close();
});

test("a derivation of one's own gets its verdicts, with a counterexample and what would be right", async () => {
  const page = await browser.page("#verify");
  await page.waitForSelector(".verdicts .step.wrong");
  assert.equal(await page.locator(".verdicts .step.right").count(), 1);
  const wrong = page.locator(".verdicts .step.wrong");
  assert.match(await wrong.locator(".told").innerText(), /the left side is .*, the right side/);
  assert.match(await wrong.locator(".repair").innerText(), /right would be/);
  assert.match(await page.locator("#document-editor .layer .wrong").innerText(), /lambda w/);
  const text = await page.inputValue("#document");
  await page.fill("#document", text.replace("+ \\lambda w $", "+ 2 \\lambda w $"));
  await page.waitForFunction(() => !document.querySelector(".verdicts .step.wrong"));
  assert.equal(await page.locator(".verdicts .step.right").count(), 2);
  await page.selectOption("#documents", "1");
  await page.waitForFunction(() => document.querySelectorAll(".verdicts .step").length === 3);
  assert.match(await page.locator(".verdicts .step.wrong .told").innerText(), /the shapes do not fit/);
  await page.context().close();
});

test("a training runs to its end, and its model and report are there", async () => {
  const page = await browser.page("#train?epochs=3&hidden=16");
  await page.click("#start");
  await page.waitForSelector("#outcome[data-state=finished]", { timeout: 120_000 });
  assert.match(await page.locator("#training-status").textContent(), /^Done/);
  assert.equal(await page.locator("svg.curves").count(), 2);
  const points = await page.locator("svg.curves polyline.one").first().getAttribute("points");
  assert.equal(points.split(" ").length, 3);
  const drawn = await page.locator("canvas").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(data.filter((_, i) => i % 4 === 0)).size;
  });
  assert.ok(drawn >= 2, "the weights are drawn");
  assert.equal(await page.locator("table.confusion tbody tr").count(), 10);
  const accuracy = parseFloat(await page.locator(".figures dd").first().textContent());
  assert.ok(accuracy > 80, `accuracy ${accuracy}`);
  const files = [];
  for (const name of ["The model", "The report"]) {
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByText(name).click()]);
    files.push(await readFile(await file.path()));
  }
  assert.ok(files[0].includes('"W1"') && files[0].length > 8 * 64 * 16, "the model holds its parameters");
  assert.ok(files[1].toString().includes("Confusion"));
  assert.ok(!files[0].includes("/tmp/") && !files[1].includes("/tmp/matgrad"), "no path of the machine is told");
  await page.context().close();
});

test("a training is stopped, on a file of one's own, with the program of the Derive tab", async () => {
  const page = await browser.page();
  await derived(page);
  await page.selectOption("#gallery", "softmax-regression");
  await derived(page);
  await page.click("nav [data-view=train]");
  await page.getByLabel("Files of yours").check();
  await page.getByLabel("The program of the Derive tab").check();
  let table = "a,b,kind\n";
  for (let i = 0; i < 400; i++) table += `${Math.sin(i)},${Math.cos(3 * i)},${Math.sin(i) > Math.cos(3 * i) ? "up" : "down"}\n`;
  await page.setInputFiles("#file-data", { name: "waves.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
  await page.fill("[data-option=epochs]", "100000");
  await page.fill("[data-option=learning-rate]", "0.05");
  await page.click("#start");
  await page.waitForSelector("svg.curves polyline.one", { timeout: 60_000 });
  await page.click("#stop");
  await page.waitForSelector("#outcome[data-state=finished]", { timeout: 60_000 });
  assert.match(await page.locator("#training-status").textContent(), /^Stopped/);
  assert.match(await page.locator(".subject").textContent(), /^waves\.csv: /);
  const classes = await page.locator("table.confusion tbody th").allTextContents();
  assert.deepEqual(classes.sort(), ["down", "up"]);
  await page.context().close();
});

test("a folder of PNG images, one folder for each class, is chosen and trained on", async () => {
  const page = await browser.page("#train?epochs=4&hidden=6");
  // Images are made by the browser: bars that lie or stand.
  const images = await page.evaluate(() => {
    const canvas = new OffscreenCanvas(6, 6);
    const context = canvas.getContext("2d");
    const all = [];
    for (let i = 0; i < 40; i++) {
      context.fillStyle = "black";
      context.fillRect(0, 0, 6, 6);
      context.fillStyle = "white";
      if (i % 2) context.fillRect(0, i % 6, 6, 1);
      else context.fillRect(i % 6, 0, 1, 6);
      all.push(canvas.convertToBlob().then((blob) => blob.arrayBuffer()).then((bytes) => [...new Uint8Array(bytes)]));
    }
    return Promise.all(all);
  });
  const root = await mkdtemp(join(tmpdir(), "images-"));
  for (const name of ["bars/lying", "bars/standing"]) await mkdir(join(root, name), { recursive: true });
  for (const [i, bytes] of images.entries()) {
    await writeFile(join(root, "bars", i % 2 ? "lying" : "standing", `${i}.png`), Buffer.from(bytes));
  }
  await writeFile(join(root, "bars/.DS_Store"), "not shown");
  await page.getByLabel("Files of yours").check();
  await page.setInputFiles("#folder-data", join(root, "bars"));
  assert.match(await page.locator("#training-status").textContent(), /^bars, a folder of 40 files: chosen/);
  await page.click("#start");
  await page.waitForSelector("#outcome[data-state=finished]", { timeout: 60_000 });
  assert.match(await page.locator(".subject").textContent(), /^bars: 36 samples of 108 features/);
  assert.deepEqual(await page.locator("table.confusion tbody th").allTextContents(), ["lying", "standing"]);
  await rm(root, { recursive: true });
  await page.context().close();
});

test("a training that cannot be tells why", async () => {
  const page = await browser.page("#train?hidden=lots");
  await page.click("#start");
  await page.waitForSelector("#outcome[data-state=failed]");
  assert.match(await page.locator("#training-status").textContent(), /lots/);
  assert.ok(!(await page.locator("#start").isDisabled()));
  await page.context().close();
});

test("no page complained, and none asked anybody else", () => {
  assert.deepEqual(browser.wrong, []);
});

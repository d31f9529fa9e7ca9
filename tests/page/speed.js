// How fast the page is: from a keystroke to the new formula, and how many requests a second are answered with flat memory.
// Run by hand, with the release build and nothing else on the machine: node tests/page/speed.js [SECONDS]

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Agent, request } from "node:http";

process.env.MATGRAD ??= fileURLToPath(new URL("../../target/release/matgrad", import.meta.url));
const { browse, derived, memory, serve } = await import("./server.js");

const seconds = Number(process.argv[2] ?? 20);
const server = await serve();
const browser = await browse(server.url);
const page = await browser.page();
await derived(page);

// A keystroke changes the number in the loss; the time ends when the new formula is in the page, and again when the frame with it has ended.
const times = await page.evaluate(async () => {
  const area = document.getElementById("program");
  const article = document.getElementById("work");
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const out = [];
  for (let i = 0; i < 100; i++) {
    const place = area.value.indexOf("lambda*(") + "lambda*(".length;
    await new Promise((done) => setTimeout(done, 250));
    area.focus();
    area.setSelectionRange(place, place + (i ? String(i + 1).length + 1 : 0));
    const start = performance.now();
    document.execCommand("insertText", false, `${i + 2}*`);
    await new Promise((done) => {
      const seen = new MutationObserver(() => (seen.disconnect(), done()));
      seen.observe(article, { attributeFilter: ["data-version"] });
    });
    const there = performance.now();
    await painted();
    out.push([there - start, performance.now() - start]);
    if (!article.textContent.includes(String(2 * (i + 2)))) throw new Error("another formula is shown");
  }
  return out;
});
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const [there, painted] = [median(times.map(([one]) => one)), median(times.map(([, one]) => one))];
console.log(`a keystroke to the new formula, median of ${times.length}: ${there.toFixed(1)} ms in the page, ${painted.toFixed(1)} ms painted`);
await browser.close();

const program = await readFile(new URL("../../examples/two_layer_mlp.mg", import.meta.url), "utf8");
const body = JSON.stringify({ program, format: "page", steps: "none" });
const { hostname, port } = new URL(server.url);
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const ask = () =>
  new Promise((done, failed) => {
    const options = { hostname, port, agent, path: "/api/derive", method: "POST", headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) } };
    request(options, (response) => {
      response.resume();
      response.on("end", () => done(response.statusCode));
    })
      .on("error", failed)
      .end(body);
  });
const end = performance.now() + 1000 * seconds;
let answered = 0;
let refused = 0;
const started = performance.now();
const levels = [];
const watch = setInterval(async () => levels.push(await memory(server)), Math.max(1000, (1000 * seconds) / 10));
await Promise.all(
  Array.from({ length: 16 }, async () => {
    while (performance.now() < end) (await ask()) === 200 ? answered++ : refused++;
  }),
);
clearInterval(watch);
const rate = answered / ((performance.now() - started) / 1000);
console.log(`${rate.toFixed(0)} requests a second over ${seconds} s, ${refused} refused; memory of the server and its processes in kB: ${levels.join(", ")}`);
await server.end();
// When it is painted depends on the frames of the screen too, so that is told and not judged.
if (there > 30 || rate < 500) process.exitCode = 1;

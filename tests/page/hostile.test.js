// Input of somebody who means ill, or of a program gone wrong: nothing breaks, nothing is executed, memory stays bounded.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { request } from "node:http";
import { after, before, test } from "node:test";

import { browse, derived, memory, serve } from "./server.js";

let server;
let browser;
const NETWORK = await readFile(new URL("../../examples/two_layer_mlp.mg", import.meta.url), "utf8");

before(async () => {
  server = await serve();
  browser = await browse(server.url);
});

after(async () => {
  await browser.close();
  await server.end();
});

async function ask(path, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(server.url + path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: text });
  return { status: response.status, text: await response.text() };
}

async function lives() {
  const { status, text } = await ask("api/derive", { program: "f = x'*x; grad f wrt x" });
  assert.equal(status, 200);
  assert.ok(text.includes("2*x"));
}

test("a script in a name, in a comment, in a document, in an address is text", async () => {
  const script = "<img src=x onerror=alert(1)><script>alert(2)</script>";
  for (const program of [
    `${script} = 3`,
    `# ${script}\nf = x'*x\ngrad f wrt x`,
    `f = tr(${script})`,
    `X : matrix(m, "${script}")`,
    `</textarea>${script}`,
  ]) {
    const page = await browser.page(`#derive?program=${encodeURIComponent(program)}`);
    await page.waitForFunction(() => document.querySelector(".mistake, #work h1"));
    await page.waitForTimeout(150);
    assert.equal(await page.locator("main img, main script").count(), 0);
    await page.context().close();
  }
  const text = `$$ ${script} = ${script} $$\n\n$$ x = \\text{${script}} $$\n\n\`\`\`matgrad\n${script}\n\`\`\``;
  const page = await browser.page(`#verify?text=${encodeURIComponent(text)}&kind=markdown`);
  await page.waitForTimeout(600);
  assert.equal(await page.locator("main img, main script").count(), 0);
  await page.goto(`${server.url}#${encodeURIComponent(script)}?${script}=${script}&example=${script}`);
  await page.reload();
  await page.waitForTimeout(300);
  await page.goto(`${server.url}#train?hidden=${encodeURIComponent(script)}&epochs=1`);
  await page.waitForSelector("html[data-ready]");
  await page.click("#start");
  await page.waitForSelector("#outcome[data-state=failed]");
  assert.equal(await page.locator("main img, main script").count(), 0);
  await page.context().close();
});

test("a script in the name of a file and in its classes is text", async () => {
  const page = await browser.page("#train?epochs=1&hidden=4");
  await page.getByLabel("Files of yours").check();
  let table = "a,b,<img src=x onerror=alert(3)>\n";
  for (let i = 0; i < 60; i++) table += `${Math.sin(i)},${i % 7},${i % 2 ? "<script>alert(4)</script>" : "plain"}\n`;
  await page.setInputFiles("#file-data", { name: "<img src=x onerror=alert(5)>.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
  await page.click("#start");
  await page.waitForSelector("#outcome[data-state=finished]", { timeout: 60_000 });
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.ok((await page.locator("table.confusion").innerText()).includes("<script>"));
  await page.context().close();
});

test("large bodies, deep brackets, long programs and nonsense get a sentence", async () => {
  const cases = [
    ["api/derive", { program: "x".repeat(10 << 20) }, 413],
    ["api/verify", { text: "x".repeat(10 << 20) }, 413],
    ["api/derive", { program: `f = sum(${"(".repeat(10_000)}X${")".repeat(10_000)})\ngrad f wrt X` }, 422],
    ["api/derive", { program: `f = sum(${"exp(".repeat(8_000)}X${")".repeat(8_000)})\ngrad f wrt X` }, [200, 422, 503]],
    ["api/derive", { program: `x : vector(n)\nf = ${"sum(x) + ".repeat(6000)}0\ngrad f wrt x` }, 422],
    ["api/derive", { program: "f = x'*x\n" + "grad f wrt x\n".repeat(101) }, 422],
    ["api/derive", { program: "f = x'*x; grad f wrt x", step: "all" }, 400],
    ["api/derive", { program: 3 }, 400],
    ["api/derive", { program: "f = x'*x; grad f wrt x", format: "pdf" }, 400],
    ["api/derive", "[1, 2]", 400],
    ["api/derive", "{", 400],
    ["api/derive", "[".repeat(100_000), 400],
    ["api/derive", "\u0000\ufffd", 400],
    ["api/emit", { program: "f = x'*x; grad f wrt x", target: "numpy", sizes: { N: -1 } }, 400],
    ["api/train", { options: { model: "/etc/passwd" } }, 400],
    ["api/train", { options: { data: "/etc/passwd" } }, 400],
    ["api/train", { files: { data: { name: "../../etc", base64: "!" } } }, 400],
    ["api/train/stop", { id: "no" }, 404],
    ["api/nothing", {}, 405],
  ];
  for (const [path, body, expected] of cases) {
    const { status, text } = await ask(path, body);
    assert.ok([expected].flat().includes(status), `${path} ${JSON.stringify(body).slice(0, 60)}: ${status} ${text.slice(0, 200)}`);
    if (status >= 400) {
      const { error } = JSON.parse(text);
      assert.ok(error && error.length < 6000, text.slice(0, 200));
    }
  }
  await lives();
});

test("a training as large as the machine is refused before it begins", async () => {
  const response = await fetch(`${server.url}api/train`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      options: { set: ["H=100000", "K=100000"] },
      program: "X : matrix(N, D)\nY : onehot(N, C)\nU : matrix(D, H)\nV : matrix(H, K)\nW : matrix(K, C)\nL = -1/N*tr(Y'*log(softmax(X*U*V*W)))\ngrad L wrt U, V, W",
    }),
  });
  const text = await response.text();
  assert.match(text, /event: failed\ndata: .*are more than the page trains/);
  assert.ok((await memory(server)) < 600_000);
});

test("no file of the machine is there, whatever the address", async () => {
  for (const path of ["/etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/index.html/../../Cargo.toml", "/Cargo.toml"]) {
    const status = await new Promise((done, failed) => {
      const { hostname, port } = new URL(server.url);
      request({ hostname, port, path }, (response) => (response.resume(), done(response.statusCode))).on("error", failed).end();
    });
    assert.equal(status, 404, path);
  }
});

test("a page of another site, and a name that points here, ask in vain", async () => {
  const body = { program: "f = x'*x; grad f wrt x" };
  assert.equal((await ask("api/derive", body, { Origin: "http://evil.example" })).status, 403);
  assert.equal((await ask("api/derive", body, { "Content-Type": "text/plain" })).status, 415);
  const { hostname, port } = new URL(server.url);
  const status = await new Promise((done, failed) => {
    request({ hostname, port, path: "/", headers: { Host: `evil.example:${port}` } }, (response) => (response.resume(), done(response.statusCode))).on("error", failed).end();
  });
  assert.equal(status, 403);
});

test("slow clients wait alone: a head and a body that never end, an answer that is never read", async () => {
  const { hostname, port } = new URL(server.url);
  const open = (text) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(text);
    return socket;
  };
  const sockets = [];
  for (let i = 0; i < 100; i++) sockets.push(open("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "));
  for (let i = 0; i < 50; i++) {
    sockets.push(open("POST /api/derive HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"));
  }
  for (let i = 0; i < 50; i++) {
    const socket = open("GET /math.woff2 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200));
    socket.pause();
    sockets.push(socket);
  }
  const start = performance.now();
  await lives();
  assert.ok(performance.now() - start < 3000, "others are answered meanwhile");
  const ended = new Promise((done) => sockets[0].on("close", done));
  await ended;
  assert.ok(performance.now() - start < 25_000, "the head that does not come is given up");
  for (const socket of sockets) socket.destroy();
});

test("two hundred at once are all answered, and memory stays bounded", async () => {
  await Promise.all(Array.from({ length: 20 }, lives));
  const before = await memory(server);
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => ask("api/derive", { program: NETWORK, steps: i % 2 ? "full" : "none", format: "page" })));
    const counts = all.reduce((counts, one) => ({ ...counts, [one.status]: [...(counts[one.status] ?? []), one] }), {});
    assert.ok(all.every(({ status }) => status === 200 || status === 503), Object.keys(counts).join());
    assert.ok(counts[200].length >= 100, `${counts[200].length} of 200`);
  }
  const grown = (await memory(server)) - before;
  assert.ok(grown < 150_000, `grew by ${grown} kB`);
  await lives();
});

test("the page lives on: it derives as before, and complained of nothing that it should not have", async () => {
  const page = await browser.page();
  await derived(page);
  await page.context().close();
  assert.deepEqual(browser.wrong.filter((text) => !/status of (400|422)/.test(text)), []);
});

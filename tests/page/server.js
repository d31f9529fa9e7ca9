// A server of the page and a browser for tests: each test file starts its own, on a port that is free.

import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BINARY = process.env.MATGRAD ?? `${ROOT}target/debug/matgrad`;

/** Starts `matgrad serve`; `{ url, pid, end() }`. */
export async function serve() {
  const child = spawn(BINARY, ["serve", "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  const url = await new Promise((done, failed) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      if (text.includes("\n")) done(text.trim());
    });
    child.on("exit", (code) => failed(new Error(`matgrad serve ended with ${code}`)));
  });
  return {
    url,
    pid: child.pid,
    /** Ends it as Ctrl-C does; how it ended. */
    end: () =>
      new Promise((done) => {
        child.on("exit", (code, signal) => done({ code, signal }));
        child.kill("SIGINT");
      }),
  };
}

/** Kilobytes that a server and the processes that work for it hold. */
export async function memory({ pid }) {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")));
  const processes = [pid, ...lists.join(" ").split(/\s+/).filter(Boolean)];
  const texts = await Promise.all(processes.map((id) => readFile(`/proc/${id}/status`, "utf8").catch(() => "")));
  return texts.reduce((sum, text) => sum + Number(text.match(/VmRSS:\s+(\d+)/)?.[1] ?? 0), 0);
}

/** A browser whose pages must not complain, and must ask this server alone. */
export async function browse(url) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const wrong = [];
  return {
    wrong,
    close: () => browser.close(),
    async page(address = "", options = {}) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, acceptDownloads: true, ...options });
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(url).origin });
      const page = await context.newPage();
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
      page.on("pageerror", (error) => wrong.push(error.stack));
      page.on("request", (request) => {
        const own = request.url().startsWith(url) || /^(data|blob):/.test(request.url());
        if (!own) wrong.push(`asks ${request.url()}`);
      });
      page.on("dialog", (dialog) => wrong.push(`a dialog: ${dialog.message()}`));
      await page.goto(url + address);
      await page.waitForSelector("html[data-ready]");
      return page;
    },
  };
}

/** Waits until the derivation of what is typed is there, with its check. */
export async function derived(page) {
  await page.waitForFunction(() => {
    const { asked, version, whole, checked } = document.getElementById("work").dataset;
    return asked && asked === version && version === whole && version === checked;
  });
}

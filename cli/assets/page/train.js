// The Train tab: samples and options are chosen, a training is started, its curves and weights are watched, and in the end
// there are its results, its model and its report.

import { chart, confusion, pictured, short } from "/curves.js";
import { post } from "/ask.js";

/** Options by their names on the command line: what they are called, their default, the kind of field. */
const NETWORK = [
  ["hidden", "Hidden units", "128"],
  ["activation", "Function", ["relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus"]],
  ["lambda", "Regularisation λ", "0.0003"],
];
const USUAL = [
  ["epochs", "Epochs", "30"],
  ["batch-size", "Batch size", "64"],
  ["optimiser", "Optimiser", ["sgd", "adam"]],
  ["learning-rate", "Learning rate", "0.2, 0.002 with adam"],
];
const FURTHER = [
  ["decay", "Decay of the rate", "0.95"],
  ["momentum", "Momentum (sgd)", "0.9"],
  ["weight-decay", "Weight decay (adam)", "0"],
  ["clip", "Clip gradients at", "no"],
  ["validation", "Kept out to validate", "0.1"],
  ["patience", "Patience, in epochs", "no"],
  ["scale", "Scaling", ["", "common", "standard", "range", "none"]],
  ["init", "First weights", ["", "he", "lecun", "glorot"]],
  ["image", "Size of images", "as the data tell"],
  ["shift", "Moved by up to, pixels", "0"],
  ["jitter", "Noise", "0"],
  ["seed", "Seed", "0"],
  ["precision", "Precision", ["f64", "f32"]],
];
const FILES = ["data", "labels", "test", "test-labels"];

export class Train {
  #run = null;
  /** What was chosen or dropped as samples last: a file, or a folder as `{ name, files: Map of paths to files }`. */
  #samples = null;

  constructor(program, keep) {
    this.program = program;
    this.keep = keep;
    this.form = document.getElementById("training");
    this.frame = document.getElementById("outcome");
    this.status = document.getElementById("training-status");
    this.startButton = document.getElementById("start");
    this.stopButton = document.getElementById("stop");
    this.drop = document.getElementById("drop");
    for (const [id, list] of [["network", NETWORK], ["usual", USUAL], ["further", FURTHER]]) {
      document.getElementById(id).append(...list.map(field));
    }
    this.form.addEventListener("change", ({ target }) => {
      if (target.id === "file-data") this.#chosen(target.files[0] ?? null);
      if (target.id === "folder-data") this.#chosen(folderOf(target.files));
      this.#changed();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    this.stopButton.addEventListener("click", () => this.#run && post("/api/train/stop", { id: this.#run.id }));
    for (const kind of ["dragover", "drop"]) {
      this.form.addEventListener(kind, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        this.drop.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.#dropped(event.dataTransfer);
      });
    }
    this.form.addEventListener("dragleave", () => this.drop.classList.remove("over"));
    this.frame.innerHTML = "<h1>A network trained by its derived gradients</h1><p>The gradients are derived and checked before the first step. Press <b>Start</b>: the loss and the accuracy of every epoch are drawn as they come, and the weights of the hidden units as pictures.</p>";
  }

  /** What a link shows again: all but files. */
  get state() {
    const values = {};
    for (const input of this.form.querySelectorAll("[data-option]")) values[input.dataset.option] = input.value;
    for (const name of ["optimiser", "activation", "precision"]) {
      const input = this.form.querySelector(`[data-option=${name}]`);
      if (input.selectedIndex === 0) values[name] = "";
    }
    const trained = this.form.elements.trained.value;
    if (trained === "program") Object.assign(values, { trained, program: this.program() });
    return values;
  }

  take(values) {
    for (const input of this.form.querySelectorAll("[data-option]")) {
      const value = values.get(input.dataset.option);
      if (value !== null) input.value = value;
    }
    this.form.elements.trained.value = values.get("trained") === "program" ? "program" : "network";
    this.#changed();
  }

  #changed() {
    this.drop.hidden = this.form.elements.source.value !== "files";
    const own = this.form.elements.trained.value === "program";
    document.getElementById("network").hidden = own;
    document.getElementById("settings").hidden = !own;
    this.keep();
  }

  #chosen(samples) {
    this.#samples = samples;
    const words = samples?.files ? `, a folder of ${samples.files.size} files` : "";
    this.status.textContent = samples ? `${samples.name}${words}: chosen.` : "";
  }

  async #dropped({ items, files }) {
    this.form.elements.source.value = "files";
    this.#changed();
    // Entries can be taken only before the first wait.
    const [entry] = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const file = files[0];
    try {
      this.#chosen(entry?.isDirectory ? await folder(entry) : file);
    } catch (error) {
      this.status.textContent = error.message;
    }
  }

  async #asked() {
    const own = this.form.elements.trained.value === "program";
    const files = this.form.elements.source.value === "files";
    const options = {};
    for (const input of this.form.querySelectorAll("[data-option]")) {
      const name = input.dataset.option;
      const value = input.value.trim();
      const idle = (own && NETWORK.some(([one]) => one === name)) || (!own && name === "set") || (!files && name === "label");
      if (!value || idle) continue;
      options[name] = name === "set" ? value.split(/[,;]/).map((pair) => pair.trim()).filter(Boolean) : value;
    }
    const adam = options.optimiser === "adam";
    delete options[adam ? "momentum" : "weight-decay"];
    const asked = { options, files: {} };
    if (own) asked.program = this.program();
    if (!files) return asked;
    for (const name of FILES) {
      const file = name === "data" ? this.#samples : document.getElementById(`file-${name}`).files[0];
      if (file) asked.files[name] = file.files ? await packed(file) : { name: file.name, base64: await base64(file) };
    }
    if (!asked.files.data) throw new Error("Choose a file of samples first.");
    return asked;
  }

  async #start() {
    let asked;
    try {
      asked = await this.#asked();
    } catch (error) {
      this.status.textContent = error.message;
      return;
    }
    this.startButton.disabled = true;
    this.status.textContent = "The gradients are derived and checked …";
    this.frame.dataset.state = "running";
    const run = (this.#run = { id: "", history: [], classes: [], epochs: 0 });
    try {
      const response = await fetch("/api/train", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(asked),
      });
      if (!response.ok) throw new Error((await response.json()).error);
      for await (const [event, value] of events(response.body)) this.#told(run, event, value);
    } catch (error) {
      this.status.textContent = error instanceof TypeError ? "The server does not answer. Is matgrad serve still running?" : error.message;
      this.frame.dataset.state = "failed";
    }
    this.#run = null;
    this.startButton.disabled = false;
    this.stopButton.disabled = true;
  }

  #told(run, event, value) {
    const told = {
      started: () => this.#started(run, value),
      epoch: () => {
        run.history.push(value);
        // Epochs may come faster than they can be drawn.
        run.frame ??= requestAnimationFrame(() => this.#curves(run));
      },
      progress: () => this.#progress(run, value),
      weights: () => {
        run.weights.hidden = false;
        pictured(run.canvas, value);
      },
      finished: () => this.#finished(run, value),
      model: () => run.downloads.append(download(value.name, "The model", bytes(value.base64), "application/octet-stream")),
      report: () => {
        run.downloads.append(download(value.name, "The report", value.text, "text/html"));
        this.frame.dataset.state = "finished";
      },
      failed: () => {
        this.status.textContent = value.error;
        this.frame.dataset.state = "failed";
        const words = document.createElement("pre");
        words.className = "mistake";
        words.textContent = value.error;
        this.frame.prepend(words);
      },
    }[event];
    told?.();
  }

  #started(run, value) {
    Object.assign(run, { id: value.id, classes: value.classes, epochs: value.epochs });
    this.stopButton.disabled = false;
    const counts = [`${value.samples} samples of ${value.features} features`, value.validation && `${value.validation} kept out to validate`, value.classes.length && `${value.classes.length} classes`, `${value.parameters} parameters`];
    this.frame.innerHTML = `<h1>Training</h1><p class="subject"></p><progress aria-label="How far the training is" max="1" value="0"></progress>
      <p class="now"></p><div class="two"><figure><figcaption>Loss by epoch</figcaption><div></div></figure><figure class="accuracy" hidden><figcaption>Accuracy by epoch</figcaption><div></div></figure></div>
      <figure class="weights" hidden><figcaption>First weights, blue positive, red negative, each by its own largest</figcaption><canvas role="img" aria-label="First weights"></canvas></figure>
      <div class="results"></div><p class="downloads"></p>
      <details><summary>The program that is trained, and its check</summary><pre class="trained" tabindex="0" role="group" aria-label="The program"></pre><ul class="plain checked"></ul></details>`;
    const find = (name) => this.frame.querySelector(name);
    find(".subject").textContent = `${value.name}: ${counts.filter(Boolean).join(", ")}.`;
    find(".trained").textContent = value.program;
    for (const line of [...value.checked, ...value.notes]) {
      const item = document.createElement("li");
      item.textContent = line;
      find(".checked").append(item);
    }
    Object.assign(run, {
      bar: find("progress"),
      now: find(".now"),
      charts: [...this.frame.querySelectorAll(".two figure")],
      weights: find(".weights"),
      canvas: find("canvas"),
      results: find(".results"),
      downloads: find(".downloads"),
    });
    this.status.textContent = "The training runs.";
  }

  #progress(run, { epoch, epochs, samples, total, loss, accuracy, seconds }) {
    run.bar.max = total;
    run.bar.value = samples;
    const parts = [`epoch ${epoch} of ${epochs}`, `loss ${short(loss)}`];
    if (accuracy !== null) parts.push(`accuracy ${(100 * accuracy).toFixed(1)} %`);
    parts.push(`${Math.round(samples / Math.max(seconds, 1e-3)).toLocaleString("en")} samples a second`);
    run.now.textContent = parts.join(", ");
  }

  #curves(run) {
    const { history, charts } = run;
    run.frame = undefined;
    // Of a long training the part that was done, with room for as much again.
    const epochs = Math.min(run.epochs, Math.max(10, 2 ** Math.ceil(Math.log2(history.length + 1))));
    const of = (name, factor = 1) => history.map((epoch) => (epoch[name] === null || epoch[name] === undefined ? null : factor * epoch[name]));
    const [loss, accuracy] = charts;
    loss.lastElementChild.replaceChildren(
      chart("Loss", "", [{ name: "training", values: of("loss") }, { name: "validation", values: of("validation_loss") }], epochs),
    );
    accuracy.hidden = history.every((epoch) => epoch.accuracy === null);
    if (accuracy.hidden) return;
    accuracy.lastElementChild.replaceChildren(
      chart("Accuracy", " %", [{ name: "training", values: of("accuracy", 100) }, { name: "validation", values: of("validation_accuracy", 100) }], epochs),
    );
  }

  #finished(run, { parts, best_epoch: best, interrupted, seconds, text }) {
    const list = document.createElement("dl");
    list.className = "figures";
    for (const { name, samples, accuracy, explained, loss } of [...parts].reverse()) {
      const value = accuracy !== null ? `${(100 * accuracy).toFixed(2)} %` : explained !== null ? short(explained) : short(loss);
      const what = accuracy !== null ? "accuracy" : explained !== null ? "R²" : "loss";
      list.append(figure(value, `${what}, ${samples} ${name} samples`));
    }
    list.append(figure(`${best} of ${run.history.length}`, "epoch taken"), figure(`${seconds.toFixed(1)} s`, "of training"));
    run.results.append(list);
    const last = parts.at(-1);
    if (last?.confusion.length && last.confusion.length <= 40) {
      const scroll = document.createElement("div");
      scroll.className = "scroll";
      scroll.tabIndex = 0;
      scroll.role = "group";
      scroll.ariaLabel = "Table of what was taken for what";
      scroll.append(confusion(last, run.classes));
      run.results.append(scroll);
    }
    run.now.textContent = interrupted ? "Stopped; the best parameters so far were taken." : "Done.";
    if (!interrupted) run.bar.value = run.bar.max;
    this.status.textContent = `${interrupted ? "Stopped" : "Done"}. ${text.split("\n")[parts.length - 1]}`;
  }
}

function field([name, title, kind]) {
  const label = document.createElement("label");
  label.append(title, " ");
  if (Array.isArray(kind)) {
    const select = document.createElement("select");
    select.append(...kind.map((word) => new Option(word || "as usual", word)));
    select.dataset.option = name;
    label.append(select);
  } else {
    const input = document.createElement("input");
    input.dataset.option = name;
    input.placeholder = kind;
    input.autocomplete = "off";
    label.append(input);
  }
  return label;
}

function figure(value, what) {
  const frame = document.createElement("div");
  const [number, words] = [document.createElement("dd"), document.createElement("dt")];
  [number.textContent, words.textContent] = [value, what];
  frame.append(words, number);
  return frame;
}

function download(name, words, content, type) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([content], { type }));
  anchor.download = name;
  anchor.textContent = `${words} (${name})`;
  return anchor;
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** A folder chosen in a dialog: all its files have paths that begin with its name. */
function folderOf(list) {
  if (!list.length) return null;
  const inside = [...list].map((file) => [file.webkitRelativePath.split("/"), file]);
  const shown = inside.filter(([path]) => path.every((name) => !name.startsWith(".")));
  return { name: inside[0][0][0], files: new Map(shown.map(([path, file]) => [path.slice(1).join("/"), file])) };
}

/** A folder that was dropped. */
async function folder(entry) {
  const files = new Map();
  const left = [[entry, ""]];
  while (left.length) {
    const [own, before] = left.pop();
    const reader = own.createReader();
    for (;;) {
      // A reader gives some hundred entries at a time, and none at the end.
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) break;
      for (const one of some) {
        if (one.name.startsWith(".")) continue;
        if (one.isDirectory) left.push([one, `${before}${one.name}/`]);
        else files.set(before + one.name, await new Promise((done, failed) => one.file(done, failed)));
      }
    }
  }
  return { name: entry.name, files };
}

/** A folder as the server takes it. */
async function packed({ name, files }) {
  const limit = 46 << 20;
  let size = 0;
  for (const file of files.values()) size += file.size;
  if (size > limit) throw new Error(`${name} has ${Math.ceil(size / 1e6)} MB; the page takes ${Math.floor(limit / 1e6)}. The command line takes any.`);
  const out = {};
  for (const [path, file] of files) out[path] = await base64(file);
  return { name, files: out };
}

async function base64(file) {
  const reader = new FileReader();
  await new Promise((done, failed) => {
    reader.addEventListener("load", done);
    reader.addEventListener("error", () => failed(new Error(`${file.name} cannot be read.`)));
    reader.readAsDataURL(file);
  });
  return reader.result.split(",", 2)[1] ?? "";
}

/** Server-sent events of a body: `[event, value]`. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [, event] = block.match(/^event: (.*)$/m) ?? [];
      const [, data] = block.match(/^data: (.*)$/m) ?? [];
      if (event && data) yield [event, JSON.parse(data)];
    }
  }
}

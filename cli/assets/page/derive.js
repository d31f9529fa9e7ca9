// The Derive tab: a program is typed, its derivatives are shown as one types, with their derivation, sizes, checks and forms.

import { Latest, post } from "/ask.js";
import { Editor } from "/editor.js";
import { Steps } from "/steps.js";
import { sized } from "/sizes.js";
import { Formats, copied } from "/formats.js";
import { drawn } from "/graph.js";
import { link } from "/address.js";

const FIRST = "two-layer-network";
/** So long after the last key the checks are made. */
const CALM = 200;
/** So long after the results the rest is set. */
const PAUSE = 60;

export class Derive {
  #asking = new Latest();
  #checking = new Latest();
  #calm = 0;
  #long = 0;
  #answer = null;
  #version = 0;

  constructor(words, language, keep) {
    this.words = words;
    this.keep = keep;
    this.article = document.getElementById("work");
    this.status = document.getElementById("status");
    this.mistakes = document.getElementById("mistakes");
    this.gallery = document.getElementById("gallery");
    this.steps = document.getElementById("steps");
    this.sizes = document.getElementById("sizes");
    this.curvature = document.getElementById("curvature");
    this.formats = new Formats(words.targets);
    this.editor = new Editor(document.getElementById("editor"), language, () => {
      this.gallery.value = "";
      this.derive();
    });
    this.#list();
    for (const control of [this.steps, this.curvature]) control.addEventListener("change", () => this.derive());
    this.sizes.addEventListener("change", () => {
      this.#annotate();
      keep();
    });
    this.gallery.addEventListener("change", () => {
      const example = words.examples.find(({ name }) => name === this.gallery.value);
      if (example) this.editor.text = example.program;
      this.derive();
    });
    document.getElementById("share").addEventListener("click", (event) => {
      const address = new URL(link("derive", this.state), location.href);
      copied(event.currentTarget, address.href);
    });
  }

  get program() {
    return this.editor.text;
  }

  /** What a link shows again. */
  get state() {
    const example = this.words.examples.find(({ program }) => program === this.editor.text);
    return {
      example: example?.name ?? "",
      program: example ? "" : this.editor.text,
      steps: this.steps.value === "full" ? "" : this.steps.value,
      sizes: this.sizes.checked ? "shown" : "",
      convexity: this.curvature.checked ? "told" : "",
    };
  }

  /** Shows what a link holds. */
  take(values) {
    const name = values.get("example");
    const given = values.get("program");
    if (given !== null || name || !this.editor.text) {
      const example = this.words.examples.find((one) => one.name === (name ?? FIRST));
      this.editor.text = given ?? example?.program ?? "";
      this.gallery.value = given === null ? (example?.name ?? "") : "";
    }
    const steps = values.get("steps");
    this.steps.value = ["none", "brief"].includes(steps) ? steps : "full";
    this.sizes.checked = values.get("sizes") === "shown";
    this.curvature.checked = values.get("convexity") === "told";
    this.derive();
  }

  derive() {
    const since = performance.now();
    const version = ++this.#version;
    this.article.dataset.asked = version;
    clearTimeout(this.#calm);
    clearTimeout(this.#long);
    // The results first: the derivation is longer to read, and comes when no key follows.
    this.#asking.ask("/api/derive", this.#asked("none"), (answer) => {
      if (answer.value?.requests) this.#shown(answer.value, version, since);
      else this.#mistaken(answer);
    });
    this.keep();
  }

  #asked(steps) {
    return { program: this.program, format: "page", steps, curvature: this.curvature.checked, errors: "inside" };
  }

  #list() {
    const own = document.createElement("option");
    own.value = "";
    own.textContent = "choose …";
    this.gallery.append(own);
    const chapters = new Map();
    for (const { name, chapter, title } of this.words.examples) {
      if (!chapters.has(chapter)) {
        const group = document.createElement("optgroup");
        group.label = chapter;
        chapters.set(chapter, group);
        this.gallery.append(group);
      }
      const option = document.createElement("option");
      option.value = name;
      option.textContent = title;
      chapters.get(chapter).append(option);
    }
  }

  #mistaken(answer) {
    this.#answer = null;
    const errors = answer.value?.errors ?? [];
    this.editor.mark(errors.filter(({ place }) => place).map(({ place }) => ({ ...place, kind: "wrong" })));
    const list = errors.length ? errors : [{ message: answer.lost ?? answer.value?.error ?? "The answer was not understood." }];
    this.mistakes.replaceChildren(...list.map((error) => mistake(error, this.editor)));
    this.status.textContent = errors.length > 1 ? `${errors.length} mistakes. ${list[0].message}` : list[0].message;
    // The list of mistakes is there to be seen; this is there to be heard.
    this.status.classList.add("spoken");
    if (!this.article.firstChild) {
      const title = document.createElement("h1");
      title.textContent = "Nothing is derived yet";
      const words = document.createElement("p");
      words.textContent = "The program has a mistake: it stands below the program.";
      this.article.append(title, words);
      this.article.classList.add("empty");
    }
    // What was shown last stays, so that a word half typed does not empty the page; it is told to be of before.
    this.article.classList.add("stale");
    document.getElementById("drawing").classList.add("stale");
  }

  #shown(answer, version, since) {
    this.#answer = answer;
    this.editor.mark([]);
    this.mistakes.replaceChildren(...answer.notes.map((note) => mistake(note, this.editor, "note")));
    this.article.classList.remove("stale", "empty");
    document.getElementById("drawing").classList.remove("stale");
    // Where as much is asked for as before, only the results change at once; what was below stays until its new form is there.
    let sections = [...this.article.querySelectorAll(":scope > section")];
    if (sections.length !== answer.requests.length) {
      sections = answer.requests.map(() => document.createElement("section"));
      this.article.replaceChildren(...sections);
    }
    answer.requests.forEach((request, i) => this.#results(sections[i], request, i));
    this.article.dataset.milliseconds = (performance.now() - since).toFixed(2);
    this.article.dataset.version = version;
    this.status.classList.remove("spoken");
    this.status.textContent = `Derived in ${answer.milliseconds.toFixed(1)} ms.`;
    // The results are there; what is long to set comes when no key follows.
    clearTimeout(this.#long);
    this.#long = setTimeout(() => {
      if (this.steps.value === "none") return this.#rest(answer, sections);
      this.#asking.ask("/api/derive", this.#asked(this.steps.value), ({ value }) => {
        if (version === this.#version && value?.requests) this.#rest(value, sections);
      });
    }, PAUSE);
    this.#calm = setTimeout(() => this.#check(version), CALM);
  }

  #results(section, { title, spoken, meaning, results, notes }, i) {
    let head = section.querySelector(":scope > .head");
    if (!head) {
      head = document.createElement("div");
      head.className = "head";
      section.prepend(head);
    }
    head.innerHTML = `<h1 id="request-${i}">${title}</h1>${meaning}${results}${notes ? `<div class="notes">${notes}</div>` : ""}`;
    head.firstElementChild.setAttribute("aria-label", spoken);
    section.setAttribute("aria-labelledby", `request-${i}`);
    if (this.sizes.checked) sized(head, this.#answer.graph.nodes, true);
  }

  #rest(answer, sections) {
    const { requests, given, signs } = answer;
    this.article.querySelector(":scope > footer")?.remove();
    sections.forEach((section, i) => {
      section.replaceChildren(section.querySelector(":scope > .head"));
      if (i === 0) section.append(part("Given", given, "given-part"));
      if (!requests[i].derivation) return;
      const derivation = document.createElement("div");
      derivation.className = "derivation";
      derivation.innerHTML = requests[i].derivation;
      section.append(new Steps(derivation, requests[i].spoken, this.article).frame);
    });
    const end = document.createElement("footer");
    if (signs) end.append(part("Signs", signs, "signs"));
    end.append(this.formats.frame);
    this.article.append(end);
    this.formats.show(this.program, this.steps.value);
    drawn(document.getElementById("drawing"), answer.graph);
    this.#annotate();
    this.article.dataset.whole = this.article.dataset.version;
  }

  /** Sizes below every name, where they are wanted. */
  #annotate() {
    if (!this.#answer) return;
    sized(this.article, this.#answer.graph.nodes, this.sizes.checked);
    scrollable(this.article);
  }

  #check(version) {
    const asked = { program: this.program, steps: this.steps.value, errors: "inside" };
    this.#checking.ask("/api/check", asked, ({ value }) => {
      if (version !== this.#version || !value?.results) return;
      const rows = [...this.article.querySelectorAll(".result .asked")];
      value.results.forEach((result, i) => rows[i] && judged(rows[i], result));
      const wrong = value.results.filter(({ verdict }) => verdict === "failed").length;
      const told = wrong ? `${wrong} of ${value.results.length} results failed the check!` : value.lines.map(capital).join(". ");
      this.status.textContent += ` ${told}.`;
      this.article.dataset.checked = version;
    });
  }
}

/** The verdict of the check beside a result. */
function judged(row, { verdict, summary, failures }) {
  const why = row.nextElementSibling?.nextElementSibling;
  if (!why?.classList.contains("why") || why.querySelector(".verdict")) return;
  const word = { ok: "✓ checked", failed: "✗ failed", unknown: "not checked" }[verdict];
  const badge = document.createElement("span");
  badge.className = `verdict ${verdict}`;
  badge.textContent = word;
  badge.tabIndex = 0;
  badge.dataset.tip = [summary, ...failures.map(({ what, expected, found }) => `${what}: expected ${expected}, found ${found}`)].join("; ");
  why.append(badge);
}

/** A mistake or a note as a person reads it, with a way to its place. */
export function mistake({ message, hint, place, related = [] }, editor, kind = "mistake") {
  const item = document.createElement("div");
  item.className = kind;
  if (place) {
    const jump = document.createElement("button");
    jump.type = "button";
    jump.className = "place";
    jump.textContent = `line ${place.line}, column ${place.column}`;
    jump.addEventListener("click", () => editor.show(place.start, place.end));
    item.append(jump);
  }
  item.append(paragraph("what", message));
  for (const other of related) item.append(paragraph("related", `line ${other.place.line}: ${other.message}`));
  if (hint) item.append(paragraph("hint", hint));
  return item;
}

function paragraph(name, text) {
  const element = document.createElement("p");
  element.className = name;
  // What stands between backticks is of the language.
  text.split("`").forEach((words, i) => {
    if (i % 2 === 0) return element.append(words);
    const code = document.createElement("code");
    code.textContent = words;
    element.append(code);
  });
  return element;
}

function part(title, html, name) {
  const frame = document.createElement("div");
  frame.className = name;
  frame.innerHTML = html.startsWith("<h2>") ? html : `<h2>${title}</h2>${html}`;
  return frame;
}

/** Formulas that do not fit can be moved with the keyboard. */
export function scrollable(frame) {
  const wide = [...frame.querySelectorAll("h1, h3, .right, .left, .why .told, .given li, pre")].filter((line) => line.scrollWidth > line.clientWidth + 1);
  for (const line of wide) {
    line.tabIndex = 0;
    if (/^H\d$/.test(line.tagName) || line.tagName === "LI") continue;
    line.role = "group";
    line.ariaLabel = "formula, can be moved sideways";
  }
}

function capital(text) {
  return text && text[0].toUpperCase() + text.slice(1);
}

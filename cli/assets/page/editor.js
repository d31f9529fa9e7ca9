// The editor: a text area that is read by everything that reads text areas, over a layer that has the colours, the brackets
// that belong together and the places of mistakes. Completions stand at the caret.

import { GREEK, completions, pair, tokens } from "/language.js";

export class Editor {
  #list = [];
  #marks = [];
  #pairs = [];
  #offer = null;
  #chosen = 0;

  /** `words` is what is known of the language; without it nothing is coloured or completed. */
  constructor(frame, words, changed) {
    this.area = frame.querySelector("textarea");
    this.layer = frame.querySelector(".layer");
    this.box = frame.querySelector(".words");
    this.words = words;
    this.changed = changed;
    this.area.addEventListener("input", (event) => this.#typed(event));
    this.area.addEventListener("scroll", () => this.#follow());
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.area.addEventListener("blur", () => this.#close());
    document.addEventListener("selectionchange", () => document.activeElement === this.area && this.#moved());
    if (this.box) {
      this.area.setAttribute("aria-autocomplete", "list");
      this.area.setAttribute("aria-controls", this.box.id);
      this.box.addEventListener("pointerdown", (event) => {
        const item = event.target.closest("li");
        if (item) this.#take([...this.box.children].indexOf(item));
        event.preventDefault();
      });
    }
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    this.area.value = text;
    this.#marks = [];
    this.#refresh();
  }

  /** Underlines places: `[{ start, end, kind }]`. */
  mark(marks) {
    if (!marks.length && !this.#marks.length) return;
    this.#marks = marks;
    this.#paint();
  }

  /** Puts the caret at a place and shows it. */
  show(start, end) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
    const line = this.text.slice(0, start).split("\n").length - 1;
    const height = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, line * height - this.area.clientHeight / 2);
  }

  #typed(event) {
    if (this.words && event.inputType?.startsWith("insert")) this.#greek();
    this.#refresh();
    this.#complete();
    this.changed();
  }

  /** `\alpha` and the first character behind it that is no letter become α and that character. */
  #greek() {
    const caret = this.area.selectionStart;
    const match = this.text.slice(0, caret).match(/\\([A-Za-z]+)([^A-Za-z])$/s);
    const letter = match && GREEK[match[1]];
    // A space only ends the name; anything else stays.
    if (letter) this.area.setRangeText(letter + (match[2] === " " ? "" : match[2]), match.index, caret, "end");
  }

  #refresh() {
    this.#list = this.words ? tokens(this.text, this.words) : [{ start: 0, end: this.text.length, kind: "name", text: this.text }];
    const lines = this.text.split("\n").length;
    this.area.rows = Math.min(Math.max(lines + 1, 8), 34);
    this.#paint();
  }

  /** A caret that moved changes the brackets that are marked, at most. */
  #moved() {
    if (String(this.#brackets()) !== String(this.#pairs)) this.#paint();
  }

  #brackets() {
    return this.words ? pair(this.#list, this.area.selectionStart) : [];
  }

  #paint() {
    const text = this.text;
    const pairs = (this.#pairs = this.#brackets());
    const fragment = document.createDocumentFragment();
    const cuts = new Set(this.#marks.flatMap(({ start, end }) => [start, Math.max(end, start + 1)]));
    for (const { start, end, kind } of this.#list) {
      const inner = [...cuts].filter((cut) => cut > start && cut < end).sort((a, b) => a - b);
      const edges = [start, ...inner, end];
      for (let i = 0; i + 1 < edges.length; i++) {
        const [from, to] = [edges[i], edges[i + 1]];
        const marked = this.#marks.find((mark) => mark.start < to && Math.max(mark.end, mark.start + 1) > from);
        const classes = [kind, marked?.kind, pairs.includes(from) ? "pair" : ""].filter(Boolean).join(" ");
        fragment.append(span(classes, text.slice(from, to)));
      }
    }
    const last = this.#marks.find((mark) => mark.start >= text.length);
    // The last line of a layer needs a character to have a height, as that of a text area has.
    fragment.append(span(last ? last.kind : "", last ? "\u00a0\n" : "\n"));
    this.layer.replaceChildren(fragment);
    this.#follow();
  }

  #follow() {
    this.layer.scrollTop = this.area.scrollTop;
    this.layer.scrollLeft = this.area.scrollLeft;
  }

  #complete() {
    if (!this.box) return;
    const caret = this.area.selectionStart;
    this.#offer = this.area.selectionEnd === caret ? completions(this.text, caret, this.words) : null;
    if (!this.#offer) return this.#close();
    this.#chosen = 0;
    this.box.replaceChildren(
      ...this.#offer.list.map(({ text, about }, i) => {
        const item = document.createElement("li");
        item.id = `word-${i}`;
        item.role = "option";
        item.append(span("", text), span("about", about));
        return item;
      }),
    );
    this.box.hidden = false;
    this.#choose(0);
    const style = getComputedStyle(this.area);
    const before = this.text.slice(0, this.#offer.from).split("\n");
    const width = this.layer.ownerDocument.defaultView ? character(style) : 8;
    const left = parseFloat(style.paddingLeft) + before.at(-1).length * width - this.area.scrollLeft;
    const top = parseFloat(style.paddingTop) + before.length * parseFloat(style.lineHeight) - this.area.scrollTop;
    this.box.style.left = `${Math.max(0, Math.min(left, this.area.clientWidth - this.box.offsetWidth))}px`;
    this.box.style.top = `${top + 2}px`;
  }

  #choose(place) {
    const count = this.box.children.length;
    this.#chosen = (place + count) % count;
    [...this.box.children].forEach((item, i) => item.setAttribute("aria-selected", i === this.#chosen));
    this.area.setAttribute("aria-activedescendant", this.box.children[this.#chosen].id);
  }

  #take(place) {
    const { from, list } = this.#offer;
    const { insert } = list[place];
    this.area.setSelectionRange(from, this.area.selectionStart);
    this.#close();
    // Goes into the browser's own list of what can be undone.
    if (!document.execCommand("insertText", false, insert)) {
      this.area.setRangeText(insert, from, this.area.selectionStart, "end");
      this.#refresh();
      this.changed();
    }
    this.#close();
  }

  #close() {
    if (!this.box) return;
    this.#offer = null;
    this.box.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (!this.#offer) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) this.#choose(this.#chosen + moves[event.key]);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#chosen);
    else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
  }
}

function span(name, text) {
  const element = document.createElement("span");
  if (name) element.className = name;
  element.textContent = text;
  return element;
}

const widths = new Map();

/** The width of a character of a font of one width. */
function character(style) {
  if (!widths.has(style.font)) {
    const context = document.createElement("canvas").getContext("2d");
    context.font = style.font;
    widths.set(style.font, context.measureText("0".repeat(64)).width / 64);
  }
  return widths.get(style.font);
}

// The Verify tab: a derivation of one's own is pasted, each equals sign gets its verdict beside it.

import { Latest } from "/ask.js";
import { Editor } from "/editor.js";
import { mistake } from "/derive.js";
import { copied } from "/formats.js";
import { link } from "/address.js";

const EXAMPLES = [
  [
    "Ridge regression, with a slip",
    "markdown",
    `# Ridge regression

\`\`\`matgrad
X : matrix(m, n)
w : vector(n)
y : vector(m)
lambda : scalar
\`\`\`

The loss and its differential:

$$ f = (Xw - y)^\\top (Xw - y) + \\lambda w^\\top w $$

$$ df = 2 (Xw - y)^\\top X \\, dw + 2 \\lambda w^\\top dw $$

so that

$$ \\frac{\\partial f}{\\partial w} = 2 X^\\top (Xw - y) + \\lambda w $$
`,
  ],
  [
    "Traces, in the language",
    "program",
    `A : matrix(m, n)
B : matrix(m, n)
C : matrix(m, n)

claim tr(A'*(B .* C)) = tr((A .* B)'*C)
claim tr(A*B') = tr(B'*A)
claim tr(A*B') = tr(A'*B')
`,
  ],
  [
    "An inverse, in LaTeX",
    "latex",
    `\\documentclass{article}
\\begin{document}
% matgrad: X : invertible(n)
\\begin{align}
d(X^{-1}) &= -X^{-1} \\, dX \\, X^{-1} \\\\
d \\log\\det X &= \\operatorname{tr}(X^{-1} \\, dX)
\\end{align}
\\end{document}
`,
  ],
];

export class Verify {
  #asking = new Latest();

  constructor(keep) {
    this.keep = keep;
    this.frame = document.getElementById("verdicts");
    this.status = document.getElementById("document-status");
    this.mistakes = document.getElementById("document-mistakes");
    this.kind = document.getElementById("document-kind");
    this.examples = document.getElementById("documents");
    this.editor = new Editor(document.getElementById("document-editor"), null, () => {
      this.examples.value = "";
      this.verify();
    });
    this.kind.addEventListener("change", () => this.verify());
    this.examples.append(new Option("choose …", ""), ...EXAMPLES.map(([title], i) => new Option(title, String(i))));
    this.examples.addEventListener("change", () => this.#example(this.examples.value));
    document.getElementById("document-share").addEventListener("click", (event) => {
      copied(event.currentTarget, new URL(link("verify", this.state), location.href).href);
    });
  }

  get state() {
    return { kind: this.kind.value === "guess" ? "" : this.kind.value, text: this.editor.text };
  }

  take(values) {
    const kind = values.get("kind") ?? "guess";
    this.kind.value = [...this.kind.options].some(({ value }) => value === kind) ? kind : "guess";
    if (values.get("text") !== null) {
      this.editor.text = values.get("text");
      this.verify();
    } else this.begin();
  }

  /** Something to look at where nothing was typed yet. */
  begin() {
    if (!this.editor.text) this.#example("0");
  }

  #example(place) {
    const example = EXAMPLES[Number(place)];
    if (place === "" || !example) return;
    this.examples.value = place;
    this.kind.value = example[1];
    this.editor.text = example[2];
    this.verify();
  }

  verify() {
    const asked = { text: this.editor.text, kind: this.kind.value, format: "page", errors: "inside" };
    this.#asking.ask("/api/verify", asked, (answer) => this.#shown(answer));
    this.keep();
  }

  #shown({ value, lost }) {
    if (!value?.steps) {
      const errors = value?.errors ?? [{ message: lost ?? value?.error ?? "The answer was not understood." }];
      this.editor.mark(errors.filter(({ place }) => place).map(({ place }) => ({ ...place, kind: "wrong" })));
      this.mistakes.replaceChildren(...errors.map((error) => mistake(error, this.editor)));
      this.status.textContent = errors[0].message;
      this.frame.classList.add("stale");
      return;
    }
    this.mistakes.replaceChildren();
    this.frame.classList.remove("stale");
    this.editor.mark(value.steps.filter(({ wrong }) => wrong).map(({ wrong }) => ({ ...wrong, kind: "wrong" })));
    const title = document.createElement("h1");
    title.textContent = value.steps.length ? value.summary : "No formula with an equals sign was found";
    const list = document.createElement("ol");
    list.className = "verdicts";
    list.append(...value.steps.map((step) => this.#step(step)));
    this.frame.replaceChildren(title, list);
    this.#more("Skipped", value.skipped, ({ place, written, why }) => [this.#place(place), code(written), ` ${why}`]);
    this.#more("Taken from use, to be confirmed", value.inferred, (text) => [code(text)]);
    this.status.textContent = `${value.summary}.`;
    this.frame.dataset.version = Number(this.frame.dataset.version ?? 0) + 1;
  }

  #step({ verdict, why, place, left, right, repairs }) {
    const item = document.createElement("li");
    item.className = `step ${verdict}`;
    const word = { right: "✓ right", wrong: "✗ wrong", defines: "definition", skipped: "not judged" }[verdict];
    const formula = document.createElement("div");
    formula.className = "formula";
    // Formulas are made by the server of what it read, letters and signs alone.
    formula.innerHTML = `<math displaystyle="true">${left}<mo>=</mo>${right}</math>`;
    const told = document.createElement("div");
    told.className = "told";
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.textContent = word;
    told.append(mark, this.#place(place));
    for (const line of why) {
      const words = document.createElement("p");
      words.textContent = line;
      told.append(words);
    }
    for (const { formula, what } of repairs) {
      const right = document.createElement("div");
      right.className = "repair";
      right.innerHTML = `<span>right would be</span> <math displaystyle="true"><mo>=</mo>${formula}</math> <span class="kind"></span>`;
      right.lastElementChild.textContent = `(${what})`;
      told.append(right);
    }
    item.append(formula, told);
    return item;
  }

  #place(place) {
    const jump = document.createElement("button");
    jump.type = "button";
    jump.className = "place";
    jump.textContent = `line ${place.line}`;
    jump.addEventListener("click", () => this.editor.show(place.start, place.end));
    return jump;
  }

  #more(title, items, parts) {
    if (!items.length) return;
    const heading = document.createElement("h2");
    heading.textContent = title;
    const list = document.createElement("ul");
    list.className = "plain";
    for (const item of items) {
      const line = document.createElement("li");
      line.append(...parts(item));
      list.append(line);
    }
    this.frame.append(heading, list);
  }
}

function code(text) {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

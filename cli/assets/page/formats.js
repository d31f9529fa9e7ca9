// The answer in other forms: text, LaTeX, Markdown, JSON, and code for each target, with a button that copies it.

import { Latest } from "/ask.js";

const TEXTS = [
  ["unicode", "Unicode"],
  ["text", "Plain text"],
  ["latex", "LaTeX"],
  ["markdown", "Markdown"],
  ["json", "JSON"],
];
const NAMES = { numpy: "NumPy", torch: "PyTorch", jax: "JAX", julia: "Julia", matlab: "MATLAB", rust: "Rust", c: "C", stablehlo: "StableHLO", latex: "LaTeX document" };

/** Copies a text; the button tells it. */
export async function copied(button, text) {
  const before = button.dataset.words ?? button.textContent;
  button.dataset.words = before;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed to copy";
  }
  setTimeout(() => (button.textContent = before), 1500);
}

export class Formats {
  #asking = new Latest();
  #program = "";
  #steps = "full";

  constructor(targets) {
    this.frame = document.createElement("div");
    this.frame.className = "formats";
    this.frame.innerHTML = `<h2>In other forms</h2><div class="bar"><label class="choice">Form <select></select></label>
      <label class="choice numbers" hidden>Numbers of dimensions <input placeholder="N=64, D=8" size="18"></label><button type="button">Copy</button></div>
      <pre tabindex="0" role="group" aria-label="The answer in this form"></pre>`;
    this.select = this.frame.querySelector("select");
    this.text = this.frame.querySelector("pre");
    this.numbers = this.frame.querySelector("input");
    const group = (label, list) => {
      const group = document.createElement("optgroup");
      group.label = label;
      for (const [value, name] of list) group.append(new Option(name, value));
      this.select.append(group);
    };
    group("Derivation", TEXTS);
    group("Code", targets.map((target) => [`code:${target}`, NAMES[target] ?? target]));
    this.select.addEventListener("change", () => this.#ask());
    this.numbers.addEventListener("change", () => this.#ask());
    const button = this.frame.querySelector("button");
    button.addEventListener("click", () => copied(button, this.text.textContent));
  }

  /** Shows a program in the form that is chosen. */
  show(program, steps) {
    [this.#program, this.#steps] = [program, steps];
    this.#ask();
  }

  #ask() {
    const [kind, target] = this.select.value.split(":");
    const sized = target === "stablehlo";
    this.frame.querySelector(".numbers").hidden = !sized;
    const common = { program: this.#program, steps: this.#steps, errors: "inside" };
    const shown = ({ text, value, lost }) => {
      this.text.textContent = text ?? (kind === "json" ? JSON.stringify(value, null, 2) : null) ?? value?.error ?? lost ?? "";
    };
    if (!target) return this.#asking.ask("/api/derive", { ...common, format: kind }, shown);
    const sizes = {};
    for (const [, name, number] of this.numbers.value.matchAll(/([\p{L}_]\w*)\s*=\s*(\d+)/gu)) sizes[name] = Number(number);
    this.#asking.ask("/api/emit", { ...common, target, steps: "none", sizes: sized ? sizes : {} }, shown);
  }
}

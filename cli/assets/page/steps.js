// A derivation that unfolds: a step at a time, with what it changed marked, and each rule's statement where its name stands.

/** The derivation with what moves through it. */
export class Steps {
  #current = null;

  constructor(derivation, spoken, article) {
    this.derivation = derivation;
    this.frame = document.createElement("div");
    this.frame.className = "derivation-part";
    const title = document.createElement("h2");
    title.textContent = "Derivation";
    this.lines = [...derivation.querySelectorAll(".right")];
    this.parts = ordered(derivation, this.lines);
    this.bar = document.createElement("div");
    this.bar.className = "bar walk";
    this.bar.role = "group";
    this.bar.ariaLabel = `Steps of the derivation: ${spoken}`;
    const button = (text, label, act) => {
      const element = document.createElement("button");
      element.type = "button";
      element.textContent = text;
      element.ariaLabel = label;
      element.addEventListener("click", act);
      return element;
    };
    this.count = document.createElement("span");
    this.count.className = "count";
    this.count.setAttribute("aria-live", "polite");
    this.bar.append(
      button("Step by step", "Show the derivation step by step", () => this.go(0)),
      button("‹", "Step back", () => this.go((this.#current ?? this.lines.length) - 1)),
      button("›", "Next step", () => this.go((this.#current ?? -1) + 1)),
      button("All", "Show all steps", () => this.all()),
      this.count,
    );
    this.bar.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: -1, ArrowRight: 1 };
      if (!(event.key in moves)) return;
      event.preventDefault();
      this.go((this.#current ?? (moves[event.key] > 0 ? -1 : this.lines.length)) + moves[event.key]);
    });
    this.frame.append(title, this.bar, derivation);
    this.article = article;
    derivation.addEventListener("pointerover", (event) => this.#pointed(event.target));
    derivation.addEventListener("pointerleave", () => this.#current === null && this.#mark(null));
    told(derivation, article);
    this.all();
  }

  /** Shows the steps up to this one. */
  go(place) {
    this.#current = Math.max(0, Math.min(place, this.lines.length - 1));
    for (const { element, step } of this.parts) element.hidden = step > this.#current;
    this.lines.forEach((line, i) => line.classList.toggle("now", i === this.#current));
    this.#mark(this.lines[this.#current]);
    const why = this.lines[this.#current].nextElementSibling;
    const rules = [...(why?.querySelectorAll(".rule") ?? [])].map((rule) => rule.textContent).join(", ");
    this.count.textContent = `Step ${this.#current + 1} of ${this.lines.length}${rules ? `: ${rules}` : ""}`;
    this.lines[this.#current].scrollIntoView({ block: "nearest" });
  }

  /** Shows them all. */
  all() {
    this.#current = null;
    for (const { element } of this.parts) element.hidden = false;
    for (const line of this.lines) line.classList.remove("now");
    this.#mark(null);
    this.count.textContent = `${this.lines.length} ${this.lines.length === 1 ? "step" : "steps"}`;
  }

  #pointed(target) {
    if (this.#current !== null) return;
    const line = target.closest(".right") ?? target.closest(".why")?.previousElementSibling;
    if (line?.classList.contains("right")) this.#mark(line);
  }

  /** Marks what a line changed of the one before it in its chain. */
  #mark(line) {
    for (const part of this.derivation.querySelectorAll(".changed")) part.classList.remove("changed");
    const before = line && earlier(line);
    if (before) changed(formula(before), formula(line)).forEach((part) => part.classList.add("changed"));
  }
}

/** The line before one in its chain. */
function earlier(line) {
  for (let other = line.previousElementSibling; other; other = other.previousElementSibling) {
    if (other.classList.contains("right")) return other;
    if (other.classList.contains("left")) return null;
  }
  return null;
}

/** The terms of a line, without its equals sign. */
function formula(line) {
  const rows = [...line.querySelectorAll("math")].map((math) => math.firstElementChild);
  return rows.flatMap((row) => [...(row?.children ?? [])]).filter((part) => !sign(part));
}

function sign(part) {
  return part.localName === "mo" && ["=", "\u2062", ""].includes(part.textContent);
}

/** Elements of the second list that the first has not: what stands between a common start and a common end, followed down
 *  as long as it is one element of the same kind. */
function changed(before, after) {
  const same = (a, b) => a.localName === b.localName && a.textContent === b.textContent;
  let start = 0;
  while (start < before.length && start < after.length && same(before[start], after[start])) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && same(before[before.length - 1 - end], after[after.length - 1 - end])) end++;
  const [old, own] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  if (old.length === 1 && own.length === 1 && old[0].localName === own[0].localName && own[0].children.length) {
    const inner = changed([...old[0].children], [...own[0].children]);
    if (inner.length) return inner;
  }
  return own;
}

/** Everything of a derivation with the step from which on it is there. */
function ordered(derivation, lines) {
  const place = new Map(lines.map((line, i) => [line, i]));
  const parts = [];
  let last = -1;
  for (const element of derivation.querySelectorAll("h3, .chain, .left, .right, .why")) {
    if (element.classList.contains("right")) last = place.get(element);
    // A line's reasons stand behind it, everything else before the next line.
    const behind = element.classList.contains("right") || element.classList.contains("why");
    parts.push({ element, step: behind ? last : last + 1 });
  }
  return parts;
}

/** Rules that were stated before tell their statement where their name stands again. */
function told(derivation, article) {
  const statements = new Map();
  for (const frame of [article, derivation]) {
    for (const statement of frame.querySelectorAll(".told")) {
      const rule = statement.querySelector(".rule");
      const words = [...statement.childNodes].filter((node) => node !== rule).map((node) => node.cloneNode(true));
      if (rule) statements.set(rule.textContent, words);
    }
  }
  for (const rule of derivation.querySelectorAll(".why > .rule")) {
    if (!statements.has(rule.textContent)) continue;
    rule.tabIndex = 0;
    rule.told = statements.get(rule.textContent);
  }
}

const tip = document.getElementById("tip");

/** The statement of a rule, or what a verdict rests on, beside what the pointer or the keyboard is at. */
function point(target) {
  const at = target.closest?.(".rule, [data-tip]");
  const words = at?.told?.map((node) => node.cloneNode(true)) ?? (at?.dataset.tip ? [at.dataset.tip] : null);
  if (!words) return hide();
  tip.replaceChildren(...words);
  tip.hidden = false;
  at.setAttribute("aria-describedby", "tip");
  const place = at.getBoundingClientRect();
  const left = Math.min(place.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const below = place.bottom + tip.offsetHeight + 8 < innerHeight;
  tip.style.left = `${Math.max(8, left) + scrollX}px`;
  tip.style.top = `${(below ? place.bottom + 6 : place.top - tip.offsetHeight - 6) + scrollY}px`;
}

function hide() {
  tip.hidden = true;
  document.querySelector("[aria-describedby=tip]")?.removeAttribute("aria-describedby");
}

document.addEventListener("pointerover", (event) => point(event.target));
document.addEventListener("focusin", (event) => point(event.target));
document.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

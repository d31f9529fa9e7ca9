// Sizes on demand: below every name in a formula its rows and columns, in the formula itself.

const MATH = "http://www.w3.org/1998/Math/MathML";

/** Writes the sizes of names below them, or takes them away. `nodes` are those of the graph, with `math` and `size`. */
export function sized(frame, nodes, wanted) {
  for (const under of frame.querySelectorAll("munder.sized")) under.replaceWith(under.firstElementChild);
  if (!wanted) return;
  const sizes = new Map();
  for (const { kind, math, size } of nodes) {
    if (kind === "result" || !size) continue;
    const holder = document.createElementNS(MATH, "mrow");
    holder.innerHTML = math;
    sizes.set(holder.textContent, size);
  }
  for (const math of frame.querySelectorAll(".right math, .left math, .given-part math, h3 math")) {
    // Types tell sizes themselves, and what stands below a ∂ is told beside its result.
    if (/[∈∂]/.test(math.textContent)) continue;
    walk(math, sizes);
  }
}

/** Largest names first: what stands within a name is no name of its own. */
function walk(element, sizes) {
  for (const child of [...element.children]) {
    if (child.localName === "mi" || child.localName === "msub") {
      const size = sizes.get(child.textContent);
      if (size) {
        under(child, size);
        continue;
      }
      // The N in 1_N is no matrix, and an entry X_ij has no size.
      if (child.localName === "msub") continue;
    }
    if (child.localName === "msup" || child.localName === "msubsup") {
      const parts = [...child.children];
      const size = sizes.get(parts.slice(0, -1).map((part) => part.textContent).join(""));
      if (size) {
        under(child, parts.at(-1).textContent === "⊤" ? turned(size) : size);
        continue;
      }
    }
    walk(child, sizes);
  }
}

function under(child, size) {
  const frame = document.createElementNS(MATH, "munder");
  frame.classList.add("sized");
  const below = document.createElementNS(MATH, "mrow");
  below.classList.add("size");
  below.innerHTML = size;
  child.replaceWith(frame);
  frame.append(child, below);
}

/** Rows and columns the other way round. */
function turned(size) {
  const holder = document.createElementNS(MATH, "mrow");
  holder.innerHTML = size;
  const row = holder.firstElementChild ?? holder;
  row.replaceChildren(...[...row.children].reverse());
  return holder.innerHTML;
}

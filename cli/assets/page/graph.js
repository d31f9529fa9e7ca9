// The program as a picture: variables above, definitions from left to right, adjoints flowing back below them, results at the
// bottom. A click on a node, or Enter, shows its formula.

const SVG = "http://www.w3.org/2000/svg";
const MATH = "http://www.w3.org/1998/Math/MathML";
const HEIGHT = 38;
const ROW = 62;
const BANDS = ["variable", "definition", "adjoint", "result"];
const TITLES = { variable: "Variables", definition: "Definitions", adjoint: "Adjoints", result: "Results" };

/** Draws a graph into a frame; what was there goes. */
export function drawn(frame, { nodes, edges }) {
  const places = placed(nodes);
  const width = Math.max(...places.map(({ x, width }) => x + width)) + 24;
  const height = Math.max(...places.map(({ y }) => y)) + HEIGHT + 24;
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "Graph of the program" });
  const defs = element("defs");
  for (const kind of ["forward", "back", "read"]) {
    const marker = element("marker", { id: `tip-${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
    marker.append(element("path", { d: "M0 0.8L8 4L0 7.2z", class: kind }));
    defs.append(marker);
  }
  svg.append(defs);
  for (const kind of BANDS) {
    const own = places.filter((_, i) => nodes[i].kind === kind);
    if (!own.length) continue;
    const title = element("text", { x: 10, y: Math.min(...own.map(({ y }) => y)) - 10, class: "band" });
    title.textContent = TITLES[kind];
    svg.append(title);
  }
  const lines = edges.map(([from, to]) => edge(nodes, places, from, to));
  // The size stands beside the shortest line of those that carry the same; the others show it when their node is chosen.
  const first = new Map();
  lines.forEach(({ label, length }, i) => {
    const other = first.get(edges[i][0]);
    if (label && (other === undefined || length < lines[other].length)) first.set(edges[i][0], i);
  });
  lines.forEach(({ label }, i) => label?.classList.toggle("more", first.get(edges[i][0]) !== i));
  svg.append(...lines.map(({ path }) => path), ...lines.map(({ label }) => label).filter(Boolean));
  const formula = document.createElement("div");
  formula.className = "formula";
  formula.setAttribute("aria-live", "polite");
  formula.textContent = "Choose a node to see its formula.";
  nodes.forEach((node, i) => {
    const group = box(node, places[i]);
    const choose = () => {
      for (const other of svg.querySelectorAll(".chosen, .near")) other.classList.remove("chosen", "near");
      for (const other of svg.querySelectorAll("[aria-pressed=true]")) other.setAttribute("aria-pressed", "false");
      group.classList.add("chosen");
      group.setAttribute("aria-pressed", "true");
      edges.forEach(([from, to], k) => {
        if (from === i || to === i) lines[k].path.classList.add("near");
        if ((from === i || to === i) && lines[k].label) lines[k].label.classList.add("near");
      });
      formula.innerHTML = node.formula;
      const size = document.createElement("span");
      size.className = "kind";
      size.textContent = node.shape ? `${node.shape}` : "a scalar";
      formula.append(size);
    };
    group.addEventListener("click", choose);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose();
      }
      const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (way) {
        event.preventDefault();
        const all = [...svg.querySelectorAll(".node")];
        all[(all.indexOf(group) + way + all.length) % all.length].focus();
      }
    });
    svg.append(group);
  });
  const title = document.createElement("h1");
  title.textContent = "The program as a graph";
  const scroll = document.createElement("div");
  scroll.className = "canvas";
  scroll.append(svg);
  const key = document.createElement("p");
  key.className = "help";
  key.textContent = "Values go to the right, adjoints back to the left. What a line carries has the size beside it; dashed lines tell which values an adjoint or a result reads.";
  frame.replaceChildren(title, formula, scroll, key);
}

/** Where nodes stand: columns by what reads what, bands by their kind. */
function placed(nodes) {
  const widths = nodes.map(({ name, shape }) => Math.max(54, 11 * Math.max([...name].length, [...shape].length * 0.72) + 22));
  const columns = [];
  nodes.forEach(({ column }, i) => (columns[column] = Math.max(columns[column] ?? 54, widths[i])));
  const lefts = [];
  let x = 14;
  for (let i = 0; i < columns.length; i++) {
    lefts[i] = x;
    x += (columns[i] ?? 54) + 74;
  }
  const out = [];
  let top = 34;
  for (const band of BANDS) {
    const used = [];
    nodes.forEach(({ kind, column }, i) => {
      if (kind !== band) return;
      const row = (used[column] = (used[column] ?? -1) + 1);

      out[i] = { x: lefts[column] + (columns[column] - widths[i]) / 2, y: top + row * ROW, width: widths[i] };
    });
    const rows = Math.max(0, ...used.filter((row) => row !== undefined).map((row) => row + 1));
    if (rows) top += rows * ROW + 40;
  }
  return out;
}

function edge(nodes, places, from, to) {
  const [a, b] = [places[from], places[to]];
  const [source, target] = [nodes[from], nodes[to]];
  const back = source.kind === "adjoint";
  const reads = !back && (target.kind === "adjoint" || target.kind === "result");
  const kind = back ? "back" : reads ? "read" : "forward";
  const middle = (place) => place.x + place.width / 2;
  let start;
  let end;
  let bend;
  const sameColumn = Math.abs(middle(a) - middle(b)) < 30;
  if (sameColumn || (reads && b.y > a.y && Math.abs(middle(a) - middle(b)) < 220)) {
    const down = b.y > a.y;
    start = [middle(a), down ? a.y + HEIGHT : a.y];
    end = [middle(b), down ? b.y : b.y + HEIGHT];
    const lean = Math.abs(end[1] - start[1]) * 0.45 * (down ? 1 : -1);
    bend = [[start[0], start[1] + lean], [end[0], end[1] - lean]];
  } else {
    const right = middle(b) > middle(a);
    start = [right ? a.x + a.width : a.x, a.y + HEIGHT / 2];
    end = [right ? b.x : b.x + b.width, b.y + HEIGHT / 2];
    const lean = Math.max(36, Math.abs(end[0] - start[0]) * 0.5) * (right ? 1 : -1);
    bend = [[start[0] + lean, start[1]], [end[0] - lean, end[1]]];
  }
  const d = `M${start}C${bend[0]} ${bend[1]} ${end}`;
  const path = element("path", { d, class: `edge ${kind}`, "marker-end": `url(#tip-${kind})` });
  if (reads || !source.shape) return { path };
  const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
  // Near its start, where lines that end in one node are still apart; in the middle of a short one.
  const t = Math.abs(end[1] - start[1]) < 20 ? 0.5 : 0.3;
  const at = (i) => (1 - t) ** 3 * start[i] + 3 * (1 - t) ** 2 * t * bend[0][i] + 3 * (1 - t) * t * t * bend[1][i] + t ** 3 * end[i];
  const label = element("text", { x: at(0), y: at(1) - 4, class: `size ${kind}`, "text-anchor": "middle" });
  label.textContent = source.shape;
  return { path, label, length };
}

function box({ kind, name, math, shape }, { x, y, width }) {
  const words = { variable: "variable", definition: "definition", adjoint: "adjoint", result: "result" }[kind];
  const group = element("g", {
    class: `node ${kind}`,
    tabindex: 0,
    role: "button",
    "aria-pressed": "false",
  });
  const title = element("title");
  title.textContent = `${words} ${name}, ${shape || "scalar"}`;
  group.append(title);
  group.append(element("rect", { x, y, width, height: HEIGHT, rx: kind === "variable" ? 19 : 5 }));
  const field = element("foreignObject", { x, y, width, height: HEIGHT, "aria-hidden": "true" });
  const label = document.createElement("div");
  label.className = shape ? "label upper" : "label";
  label.innerHTML = `<math>${math}</math>`;
  for (const fraction of label.querySelectorAll("mfrac")) flat(fraction);
  field.append(label);
  group.append(field);
  if (shape) {
    const size = element("text", { x: x + width / 2, y: y + 31, "text-anchor": "middle", class: "shape", "aria-hidden": "true" });
    size.textContent = shape;
    group.append(size);
  }
  return group;
}

/** A fraction on one line. */
function flat(fraction) {
  const row = document.createElementNS(MATH, "mrow");
  const stroke = document.createElementNS(MATH, "mo");
  stroke.textContent = "/";
  const [above, below] = fraction.children;
  row.append(above, stroke, below);
  fraction.replaceWith(row);
}

function element(name, attributes = {}) {
  const out = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
  return out;
}

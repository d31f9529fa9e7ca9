// Curves over epochs, weights as pictures and tables of what was taken for what: numbers come in, elements go out.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [460, 250, 58, 12, 26, 30];
/** Numbers that span more than this factor are drawn by their logarithms. */
const WIDE = 30;
/** A curve is drawn by no more points. */
const POINTS = 400;

/** Curves `[{ name, values }]`, a number or null for each epoch, with axes and a key. */
export function chart(title, unit, curves, epochs) {
  const numbers = curves.flatMap(({ values }) => values).filter((value) => value !== null && Number.isFinite(value));
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curves", role: "img" });
  const last = curves.map(({ name, values }) => (values.length ? `${name} ${short(values.at(-1))}${unit}` : "")).filter(Boolean);
  svg.setAttribute("aria-label", `${title} by epoch: ${last.join(", ") || "nothing yet"}`);
  if (!numbers.length) return svg;
  let [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const log = !unit && low > 0 && high / low > WIDE;
  if (!log) {
    const margin = high > low ? 0.05 * (high - low) : Math.max(Math.abs(high), 1e-3) / 2;
    [low, high] = [low - margin, high + margin];
    if (unit) high = Math.min(high, 100 + margin / 10);
  }
  const part = (value) => (log ? (Math.log(high) - Math.log(value)) / (Math.log(high) - Math.log(low)) : (high - value) / (high - low));
  const y = (value) => TOP + part(value) * (HEIGHT - TOP - BOTTOM);
  const x = (epoch) => LEFT + ((epoch - 1) / Math.max(epochs - 1, 1)) * (WIDTH - LEFT - RIGHT);
  for (const tick of log ? powers(low, high) : round(low, high)) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    svg.append(text(LEFT - 7, y(tick) + 4.5, `${short(tick)}${unit}`, "end"));
  }
  const floor = HEIGHT - BOTTOM;
  svg.append(element("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: floor, y2: floor }));
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => epochs / step <= 6) ?? Math.ceil(epochs / 6);
  for (let epoch = step === 1 ? 1 : step; epoch <= epochs; epoch += step) svg.append(text(x(epoch), floor + 19, epoch, "middle"));
  let key = LEFT;
  curves.forEach(({ name, values }, i) => {
    const points = values.map((value, place) => [x(place + 1), value]).filter(([, value]) => value !== null && Number.isFinite(value));
    if (!points.length) return;
    const kind = ["one", "two"][i];
    const every = Math.ceil(points.length / POINTS);
    const kept = points.filter((_, place) => place % every === 0 || place === points.length - 1);
    const drawn = kept.map(([x, value]) => `${x.toFixed(1)},${y(value).toFixed(1)}`);
    if (drawn.length > 1) svg.append(element("polyline", { class: kind, points: drawn.join(" ") }));
    const [cx, cy] = drawn.at(-1).split(",");
    svg.append(element("circle", { class: kind, cx, cy, r: 3 }));
    svg.append(element("line", { class: kind, x1: key, x2: key + 18, y1: 11, y2: 11 }));
    svg.append(text(key + 24, 15, name, "start"));
    key += 40 + 8 * name.length;
  });
  return svg;
}

/** Weights as pictures side by side: blue where positive, red where negative. */
export function pictured(canvas, { name, rows, columns, base64 }) {
  const bytes = Int8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const count = bytes.length / (rows * columns);
  const across = Math.min(count, 16);
  const down = Math.ceil(count / across);
  const [wide, high] = [across * (columns + 1) + 1, down * (rows + 1) + 1];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, high);
  for (let i = 0; i < count; i++) {
    const [left, top] = [(i % across) * (columns + 1) + 1, Math.floor(i / across) * (rows + 1) + 1];
    for (let p = 0; p < rows * columns; p++) {
      const value = bytes[i * rows * columns + p];
      const at = 4 * ((top + Math.floor(p / columns)) * wide + left + (p % columns));
      image.data.set(value > 0 ? [58, 130, 190] : [205, 80, 55], at);
      image.data[at + 3] = Math.min(255, 24 + Math.abs(value) * 1.82);
    }
  }
  context.putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", `The first ${count} columns of ${name} as pictures of ${rows} by ${columns}`);
}

/** What was taken for what. */
export function confusion({ name, samples, confusion: counts }, classes) {
  const table = document.createElement("table");
  table.className = "confusion";
  const caption = table.createCaption();
  caption.textContent = `The ${samples} ${name} samples of each class (row) by the class predicted (column)`;
  const head = table.createTHead().insertRow();
  head.append(cell("td", ""), ...classes.map((name) => headed(name, "col")));
  const body = table.createTBody();
  const worst = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => j !== i)));
  counts.forEach((row, i) => {
    const line = body.insertRow();
    line.append(headed(classes[i], "row"));
    const all = Math.max(1, row.reduce((sum, count) => sum + count, 0));
    row.forEach((count, j) => {
      const field = cell("td", count === 0 ? "·" : String(count));
      field.className = count === 0 ? "none" : i === j ? "right" : "wrong";
      const part = i === j ? 0.1 + 0.35 * (count / all) : 0.12 + 0.26 * (count / worst);
      field.style.setProperty("--part", `${(100 * part).toFixed(0)}%`);
      line.append(field);
    });
  });
  return table;
}

function headed(words, scope) {
  const field = cell("th", words);
  field.scope = scope;
  return field;
}

function cell(name, words) {
  const field = document.createElement(name);
  field.textContent = words;
  return field;
}

function powers(low, high) {
  const out = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of [1, 3]) if (digit * 10 ** power >= low && digit * 10 ** power <= high) out.push(digit * 10 ** power);
  }
  return out.length > 7 ? out.filter((_, i) => i % 2 === 0) : out;
}

function round(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((digit) => digit * power >= rough) * power;
  const out = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) out.push(k * step);
  return out;
}

/** A number as short as it can be beside a tick. */
export function short(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

function text(x, y, words, anchor) {
  const out = element("text", { x, y, "text-anchor": anchor });
  out.textContent = words;
  return out;
}

function element(name, attributes) {
  const out = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
  return out;
}

// Sets every formula of the files named on the command line: all `latex` fields of JSON, all that stands between dollars
// in Markdown. Ends with 1 where KaTeX refuses one.
const fs = require("fs");
const katex = require("katex");

function fields(value, out) {
  if (Array.isArray(value)) value.forEach((item) => fields(item, out));
  else if (value && typeof value === "object")
    for (const [key, item] of Object.entries(value)) {
      if (key === "latex" && typeof item === "string") out.push([item, true]);
      else fields(item, out);
    }
}

function between(text, out) {
  const displays = text.split("$$");
  displays.forEach((part, i) => {
    if (i % 2) out.push([part, true]);
    else part.replace(/\\\$/g, "").split("$").forEach((formula, j) => j % 2 && out.push([formula, false]));
  });
}

const formulas = [];
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, "utf8");
  if (file.endsWith(".json")) fields(JSON.parse(text), formulas);
  else between(text, formulas);
}
let wrong = 0;
for (const [formula, displayMode] of formulas) {
  try {
    katex.renderToString(formula, { throwOnError: true, strict: "error", displayMode });
  } catch (error) {
    wrong += 1;
    console.error(`${error.message}\n  ${formula}`);
  }
}
console.log(`${formulas.length} formulas, ${wrong} refused`);
process.exit(wrong || !formulas.length ? 1 : 0);

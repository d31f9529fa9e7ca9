// Sets every formula that matgrad prints: `node check.js MATGRAD CASES.json FILES`. MATGRAD is the program, which answers all
// of the cases and the files that end in .mg in JSON and in Markdown. The formulas are the `latex` fields of JSON and what
// stands between dollars in Markdown. Ends with 1 where KaTeX refuses one.
const { execFileSync } = require("child_process");
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

const [matgrad, cases, ...files] = process.argv.slice(2);
const programs = JSON.parse(fs.readFileSync(cases, "utf8")).map((item) => item.program);
programs.push(...files.map((file) => fs.readFileSync(file, "utf8")));
const derive = (program, format) =>
  execFileSync(matgrad, ["derive", "-", "--format", format], { input: program, maxBuffer: 1 << 28, encoding: "utf8", stdio: "pipe" });

const formulas = [];
for (const program of programs) {
  fields(JSON.parse(derive(program, "json")), formulas);
  between(derive(program, "markdown"), formulas);
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
console.log(`${programs.length} programs, ${formulas.length} formulas, ${wrong} refused`);
process.exit(wrong || !formulas.length ? 1 : 0);

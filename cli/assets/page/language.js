// What the editor knows of the language: words for colours, brackets that belong together, completions, Greek letters.

/** Letters by their names, as one types them behind a backslash. */
export const GREEK = Object.fromEntries(
  "alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π rho ρ sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω odot ⊙ oslash ⊘ otimes ⊗ top ᵀ inv ⁻¹ cdot · langle ⟨ rangle ⟩"
    .split(" ")
    .reduce((pairs, word, i, all) => (i % 2 ? pairs : [...pairs, [word, all[i + 1]]]), []),
);

const TOKEN = /(#[^\n]*)|(\\[A-Za-z]*)|([\p{L}_][\p{L}\p{N}_₀-₉]*)|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(\s+)|([()[\]<>⟨⟩])|(.)/gsu;

/** The words of a text in order: `{ start, end, kind }`. */
export function tokens(text, words) {
  const out = [];
  for (const match of text.matchAll(TOKEN)) {
    const [whole, comment, escape, name, number, space, bracket] = match;
    let kind = "sign";
    if (comment) kind = "comment";
    else if (escape) kind = "escape";
    else if (name) kind = words.kinds.get(name) ?? "name";
    else if (number) kind = "number";
    else if (space) kind = "space";
    else if (bracket) kind = "bracket";
    out.push({ start: match.index, end: match.index + whole.length, kind, text: whole });
  }
  return out;
}

/** What the server tells of the language, by word. */
export function known(words) {
  const kinds = new Map();
  const about = new Map();
  for (const word of [...words.keywords, "along", "against"]) kinds.set(word, "keyword");
  for (const { name, sizes } of words.types) {
    kinds.set(name, "type");
    about.set(name, sizes === 0 ? "type" : `type (${["n", "m, n"][sizes - 1]})`);
  }
  for (const word of words.properties) if (!kinds.has(word)) kinds.set(word, "type");
  for (const entry of words.functions) {
    kinds.set(entry.name, "function");
    about.set(entry.name, entry.title);
  }
  return { kinds, about };
}

/** The places of the bracket at or before the caret and of its partner; none where there is no pair. */
export function pair(list, caret) {
  const open = "([⟨";
  const close = ")]⟩";
  const at = list.findIndex((token) => token.kind === "bracket" && (token.start === caret || token.end === caret));
  if (at < 0) return [];
  const own = list[at].text;
  const forward = open.includes(own);
  if (!forward && !close.includes(own)) return [];
  let depth = 0;
  for (let i = at; i >= 0 && i < list.length; i += forward ? 1 : -1) {
    const { kind, text } = list[i];
    if (kind !== "bracket") continue;
    if (open.includes(text)) depth += forward ? 1 : -1;
    if (close.includes(text)) depth += forward ? -1 : 1;
    if (depth === 0) return [list[at].start, list[i].start];
  }
  return [];
}

/** Completions at a caret: `{ from, list: [{ text, insert, about }] }`, or nothing. */
export function completions(text, caret, words) {
  const before = text.slice(0, caret);
  if (before.slice(before.lastIndexOf("\n") + 1).includes("#")) return null;
  const escape = before.match(/\\([A-Za-z]*)$/);
  if (escape) {
    const list = Object.entries(GREEK)
      .filter(([name]) => name.startsWith(escape[1]))
      .map(([name, letter]) => ({ text: `\\${name}`, insert: letter, about: letter }));
    return list.length ? { from: escape.index, list: list.slice(0, 8) } : null;
  }
  const word = before.match(/[\p{L}_][\p{L}\p{N}_₀-₉]*$/u);
  if (!word || word[0].length < 2 || /^[\p{L}\p{N}_]/u.test(text.slice(caret))) return null;
  const start = word[0];
  const own = new Map();
  for (const token of tokens(text, words)) {
    if (token.kind === "name" && token.start !== word.index) own.set(token.text, "name");
  }
  const all = [...own.keys(), ...words.kinds.keys()];
  const list = [...new Set(all)]
    .filter((name) => name.startsWith(start) && name !== start)
    .map((name) => {
      const kind = own.has(name) ? "name" : words.kinds.get(name);
      return { text: name, insert: kind === "function" ? `${name}(` : name, about: words.about.get(name) ?? kind };
    });
  return list.length ? { from: word.index, list: list.slice(0, 8) } : null;
}

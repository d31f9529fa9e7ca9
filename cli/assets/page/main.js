// The page: its views, what they share, and the state in the address.

import { read, write } from "/address.js";
import { known } from "/language.js";
import { Derive } from "/derive.js";
import { Verify } from "/verify.js";
import { Train } from "/train.js";

const VIEWS = ["derive", "graph", "verify", "train"];

/** An element by its id. */
export const element = (id) => document.getElementById(id);

const words = await (await fetch("/api/words")).json();
const language = known(words);
const derive = new Derive(words, language, () => keep());
const verify = new Verify(() => keep());
const train = new Train(() => derive.program, () => keep());
let view = "derive";
let later = 0;

function shown(name) {
  view = VIEWS.includes(name) ? name : "derive";
  element("desk").hidden = view !== "derive" && view !== "graph";
  element("work").hidden = view !== "derive";
  element("drawing").hidden = view !== "graph";
  element("verify").hidden = view !== "verify";
  element("train").hidden = view !== "train";
  for (const item of document.querySelectorAll("nav [data-view]")) {
    if (item.dataset.view === view) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  document.title = `${view[0].toUpperCase()}${view.slice(1)} · matgrad`;
}

/** The address follows what is typed, a little later. */
function keep() {
  clearTimeout(later);
  later = setTimeout(() => write(view, state()), 250);
}

function state() {
  return view === "verify" ? verify.state : view === "train" ? train.state : derive.state;
}

function follow() {
  const { view: name, values } = read();
  shown(name);
  if (view === "verify") verify.take(values);
  else if (view === "train") train.take(values);
  else derive.take(values);
}

for (const item of document.querySelectorAll("nav [data-view]")) {
  item.addEventListener("click", (event) => {
    event.preventDefault();
    clearTimeout(later);
    const before = view;
    write(view, state());
    shown(item.dataset.view);
    // The way back leads to what was shown.
    if (view !== before) history.pushState(null, "", `#${view}`);
    write(view, state());
    if (view === "verify") verify.begin();
  });
}

window.addEventListener("hashchange", follow);
follow();
document.documentElement.dataset.ready = "yes";

// The state of the page in its address: `#view?name=value&…`. A link that is opened shows the same; nothing is stored elsewhere.

/** The view and its values that the address tells. */
export function read() {
  const text = location.hash.slice(1);
  const [view, rest = ""] = text.split(/\?(.*)/s);
  return { view: view || "derive", values: new URLSearchParams(rest) };
}

/** The address of a view with its values; empty ones are left out. */
export function link(view, values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const rest = new URLSearchParams(given).toString();
  return `#${view}${rest ? `?${rest}` : ""}`;
}

/** Writes a state into the address without a new entry in the history. */
export function write(view, values) {
  const address = link(view, values);
  if (address !== location.hash) history.replaceState(null, "", address);
}

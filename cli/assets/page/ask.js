// Questions to the server. Of questions of one kind the last one wins: while one is under way only the newest waits, and an
// answer that nobody waits for any more is dropped.

/** An answer longer in coming than this is given up for a newer question. */
const PATIENCE = 250;

/** Asks and reads the answer: `{ status, value }` of JSON, `{ status, text }` of anything else, `{ lost }` without an answer. */
export async function post(path, body, signal) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    const json = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
    return json ? { status: response.status, value: await response.json() } : { status: response.status, text: await response.text() };
  } catch (error) {
    if (error.name === "AbortError") return { dropped: true };
    return { lost: "The server does not answer. Is matgrad serve still running?" };
  }
}

/** Questions of one kind. */
export class Latest {
  #under = null;
  #next = null;

  /** Asks; `then` gets the answer unless a newer question came. */
  ask(path, body, then) {
    if (this.#under) {
      this.#next = [path, body, then];
      if (performance.now() - this.#under.since > PATIENCE) this.#under.control.abort();
      else if (!this.#under.timer) this.#under.timer = setTimeout(() => this.#next && this.#under?.control.abort(), PATIENCE);
      return;
    }
    const under = { control: new AbortController(), since: performance.now(), timer: 0 };
    this.#under = under;
    post(path, body, under.control.signal).then((answer) => {
      clearTimeout(under.timer);
      this.#under = null;
      const next = this.#next;
      this.#next = null;
      if (next) this.ask(...next);
      else if (!answer.dropped) then(answer);
    });
  }
}

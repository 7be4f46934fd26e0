// Follows the stream by `fetch`: an EventSource cannot send a token.
import { authorization, refused, urlOf } from "./api.js";

/** Pause before the stream is opened again, in milliseconds. */
const PAUSE_MS = 1000;

/**
 * Follow the stream until `signal` aborts. A hidden tab has no stream: a browser allows six
 * connections for all tabs of a server. Whoever comes back continues where they were.
 * `onLost`: the server knows no such cursor, or no such product; all has to be read anew.
 */
export async function follow({ query, after, signal, onMessage, onState, onLost }) {
  let last = after;
  while (!signal.aborted) {
    if (document.hidden) await once(signal, (done) => document.addEventListener("visibilitychange", done, { once: true }));
    try {
      for await (const message of messages(query, last, signal)) {
        onState("live");
        last = message.id ?? last;
        if (message.event) onMessage(message.event, JSON.parse(message.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      if ([404, 409, 422].includes(error.status)) {
        onState("away");
        return onLost();
      }
    }
    if (document.hidden || signal.aborted) continue;
    onState("away");
    await once(signal, (done) => setTimeout(done, PAUSE_MS));
  }
}

/** Yield the messages of one connection, until it ends or the tab is hidden. */
async function* messages(query, after, signal) {
  const leaving = new AbortController();
  const left = AbortSignal.any([signal, leaving.signal]);
  const leave = () => leaving.abort();
  document.addEventListener("visibilitychange", leave, { signal: left });
  try {
    const answer = await fetch(urlOf("stream", { view: "rows", ...query, after }), {
      headers: authorization(),
      signal: left,
    });
    if (!answer.ok) throw refused(answer, await answer.text());
    yield {}; // it is there, and has nothing to say yet
    yield* parsed(answer.body.pipeThrough(new TextDecoderStream()).getReader());
  } finally {
    leave();
  }
}

async function* parsed(reader) {
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const texts = (rest + value).split("\n\n");
    rest = texts.pop();
    for (const text of texts) yield fieldsOf(text);
  }
}

function fieldsOf(text) {
  const fields = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf(": ");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
  }
  return fields;
}

/** Wait until `begin` calls what it gets, or until `signal` aborts. */
function once(signal, begin) {
  return new Promise((done) => {
    begin(done);
    signal.addEventListener("abort", done);
  });
}

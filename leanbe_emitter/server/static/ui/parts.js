// Small parts that several pages have. What is shown of data is a text node.
import { signal } from "@preact/signals";
import htm from "htm";
import { h } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ask } from "./api.js";

/** The tag of all templates: htm makes calls of Preact's `h` of them, and never HTML of a text. */
export const html = htm.bind(h);

const SIGNS = { delivered: "✓", pending: "◷", exhausted: "✕", cancelled: "–", refused: "✕", unreachable: "⚡", unknown: "?" };

/** A state, by sign, word and colour. */
export const Badge = ({ of, text }) => html`<span class=${`badge ${of}`}><span aria-hidden="true">${SIGNS[of]}</span> ${text ?? of}</span>`;

/** A handler that passes on what was typed or chosen. */
export const typed = (set) => (event) => set(event.target.value);

/** A handler of a form that the page sends itself. */
export const submitted = (act) => (event) => {
  event.preventDefault();
  return act();
};

export const Key = ({ children }) => html`<kbd aria-hidden="true">${children}</kbd>`;

export const said = signal({ text: "", isBad: false });
let saying;

/** Say something for a few seconds; screen readers read it out. */
export function say(text, { isBad = false } = {}) {
  said.value = { text, isBad };
  clearTimeout(saying);
  saying = setTimeout(() => { said.value = { text: "", isBad: false }; }, isBad ? 8000 : 3000);
}

/** Say what a request was refused for, with what to do. */
export const sayProblem = (error) => error.name !== "AbortError" && say([error.message, error.hint].filter(Boolean).join(" "), { isBad: true });

export const Toast = () => html`<div class="toasts" role="status" aria-live="polite">${said.value.text && html`<div class=${`toast ${said.value.isBad ? "bad" : ""}`}>${said.value.text}</div>`}</div>`;

/** Put a text into the clipboard, which plain HTTP beyond loopback does not have. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text });
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied.`);
}

/** Ask once for each `path` and `mark`; what was asked before stays until the answer is there. */
export function useAsk(path, { query, mark = "" } = {}) {
  const [state, setState] = useState({ data: null, error: null, path: "" });
  useEffect(() => {
    if (!path) return undefined;
    const leaving = new AbortController();
    ask(path, { query, signal: leaving.signal }).then(
      (data) => setState({ data, error: null, path }),
      (error) => error.name !== "AbortError" && setState({ data: null, error, path }),
    );
    return () => leaving.abort();
  }, [path, mark, JSON.stringify(query)]);
  return state.path === path ? state : { data: null, error: null, path };
}

/** A button that is off while what it does is under way; it keeps the focus meanwhile, and passes it on when it goes. */
export function Act({ act, kind = "", children, ...others }) {
  const [isBusy, setBusy] = useState(false);
  const box = useRef(null);
  // Its end comes before the button is taken out of the page; that of `useEffect` after it.
  useLayoutEffect(() => {
    const button = box.current;
    return () => document.activeElement === button && button.closest("[tabindex='-1']")?.focus();
  }, []);
  const onClick = async () => {
    if (isBusy) return;
    setBusy(true);
    try { await act(); } finally { setBusy(false); }
  };
  return html`<button type="button" ref=${box} class=${kind} aria-disabled=${isBusy} onClick=${onClick} ...${others}>${children}</button>`;
}

/** What went wrong, and what to do. */
export const Trouble = ({ error }) => html`<div class="note bad" role="alert"><b>${error.message}</b>${error.hint && html`<p>${error.hint}</p>`}</div>`;

/** The most of a text that is shown: a browser is slow to break a longer one into lines. */
const LONGEST = 20_000;

export const Code = ({ text, label, lines = 12 }) => html`<div class="code"><pre tabindex="0" role="group" aria-label=${label} style=${{ maxHeight: `${lines * 1.5 + 1}em` }}>${text.length > LONGEST ? `${text.slice(0, LONGEST)}… Copy takes all of it.` : text}</pre>
  <button type="button" class="small" onClick=${() => copy(text, label)}>Copy</button></div>`;

/** A table of names and values; a null value says that it is masked. */
export const Headers = ({ of, label }) =>
  of.length
    ? html`<table class="headers" aria-label=${label}><tbody>${of.map(([name, value], at) => html`<tr key=${at}><th scope="row">${name}</th><td class="mono">${value}</td></tr>`)}</tbody></table>`
    : html`<p class="muted">No headers.</p>`;

/** A choice of one of a few, such as Tree or Raw. */
export const Choice = ({ label, of, value, onChange }) => html`<div class="choice" role="group" aria-label=${label}>
  ${of.map(([name, text]) => html`<button type="button" key=${name} aria-pressed=${value === name} onClick=${() => onChange(name)}>${text}</button>`)}</div>`;

/** The time of day of an instant, to the millisecond. */
export const time = (instant) => instant?.slice(11, 23) ?? "";
export const dayAndTime = (instant) => (instant ? `${instant.slice(0, 10)} ${instant.slice(11, 23)}` : "");
/** The same with the day, if it is another one than that of `now`. */
export const shortTime = (instant, now) => (now && instant?.slice(0, 10) !== now.slice(0, 10) ? `${instant.slice(5, 10)} ${instant.slice(11, 19)}` : time(instant));

const UNITS = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"], [1, "ms"]];

/** A time in the largest unit that it fills. */
export function duration(milliseconds) {
  if (milliseconds == null) return "";
  const [size, unit] = UNITS.find(([each]) => milliseconds >= each) ?? UNITS.at(-1);
  const count = milliseconds / size;
  return `${count.toFixed(count < 99.95 ? 1 : 0)} ${unit}`;
}

/** A sentence of the API, with its quoted words as code. */
export const Words = ({ text }) => text.split("`").map((part, at) => (at % 2 ? html`<code key=${at}>${part}</code>` : part));

export const plural = (count, word) => `${count.toLocaleString("en")} ${count === 1 ? word : `${word}s`.replace(/ys$/, "ies")}`;
export const bytesOf = (text) => new TextEncoder().encode(text).length;

const loaded = new Map();

/** A part that is loaded when it is first shown: the component `name` of a module; `load` imports it. */
export function Lazy({ load, name, ...props }) {
  const [state, setState] = useState({});
  const found = loaded.get(name);
  useEffect(() => {
    if (found) return;
    load().then(
      (module) => { loaded.set(name, module[name]); setState({}); },
      () => setState({ error: { message: "A part of the page could not be loaded.", hint: "Load the page again." } }),
    );
  }, [name]);
  if (found) return html`<${found} ...${props} />`;
  return state.error ? html`<${Trouble} error=${state.error} />` : html`<div class="loading" aria-busy="true"></div>`;
}

/** A page that is a column of cards under a bar. */
export const Column = ({ title, bar, children }) => html`<main class="page"><div class="bar"><h1>${title}</h1>${bar}</div><div class="scroll"><div class="column">${children}</div></div></main>`;

/** A dialog that is modal while it is shown; the focus is then back where it was. */
export function Modal({ label, onClose, children }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog ref=${box} aria-label=${label} onClose=${onClose} onCancel=${(event) => { if (!onClose) event.preventDefault(); }}>${children}</dialog>`;
}

/** Return the command of a receiver that listens at a URL's port. */
export function receiverAt(url) {
  const port = URL.parse(url)?.port || "8000";
  return `leanbe-emitter receiver --secret env:LEANBE_WEBHOOK_SECRET --port ${port}`;
}

// Small parts that several pages have. What is shown of data is a text node.
import { signal } from "@preact/signals";
import htm from "htm";
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "./api.js";

/** The tag of all templates: htm makes calls of Preact's `h` of them, and never HTML of a text. */
export const html = htm.bind(h);

const SIGNS = { delivered: "✓", pending: "◷", exhausted: "✕", cancelled: "–", refused: "✕", unreachable: "⚡", unknown: "?" };

/** A state, by sign, word and colour. */
export const Badge = ({ of, text }) => html`<span class=${`badge ${of}`}><span aria-hidden="true">${SIGNS[of]}</span> ${text ?? of}</span>`;

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

/** A button that is off while what it does is under way; it keeps the focus meanwhile. */
export function Act({ act, kind = "", children, ...others }) {
  const [isBusy, setBusy] = useState(false);
  const onClick = async () => {
    if (isBusy) return;
    setBusy(true);
    try { await act(); } finally { setBusy(false); }
  };
  return html`<button type="button" class=${kind} aria-disabled=${isBusy} onClick=${onClick} ...${others}>${children}</button>`;
}

/** What went wrong, and what to do. */
export const Trouble = ({ error }) => html`<div class="note bad" role="alert"><b>${error.message}</b>${error.hint && html`<p>${error.hint}</p>`}</div>`;

export const Code = ({ text, label, lines = 12 }) => html`<div class="code"><pre tabindex="0" role="group" aria-label=${label} style=${{ maxHeight: `${lines * 1.5 + 1}em` }}>${text}</pre>
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

export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "";
  if (milliseconds < 1000) return `${milliseconds.toFixed(milliseconds < 99.95 ? 1 : 0)} ms`;
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : longDuration(milliseconds);
}

/** A time in the two largest units that it has, such as `1 h 5 min`. */
export function longDuration(milliseconds) {
  const units = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]];
  let left = Math.max(0, Math.round(milliseconds / 100) * 100);
  if (left < 10_000) return `${(left / 1000).toFixed(1)} s`;
  const parts = [];
  for (const [size, unit] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
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

/** A dialog that is modal while it is shown. */
export function Modal({ label, onClose, children }) {
  const box = useRef(null);
  useEffect(() => { box.current.showModal(); }, []);
  return html`<dialog ref=${box} aria-label=${label} onClose=${onClose} onCancel=${(event) => { if (!onClose) event.preventDefault(); }}>${children}</dialog>`;
}

/** Return the port of a URL, for a receiver's command. */
export function portOf(url) {
  try { return new URL(url).port || "8000"; } catch { return "8000"; }
}

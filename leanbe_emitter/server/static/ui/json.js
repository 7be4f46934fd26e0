// JSON as its text has it. `JSON.parse` would change `1.0`, large numbers, and the order of some keys.
import { useState } from "preact/hooks";
import { bytesOf, Choice, copy, html } from "./parts.js";

const TOKEN = /[ \t\n\r]*(?:([{}[\]:,])|("[^"\\]*(?:\\.[^"\\]*)*")|([^ \t\n\r{}[\]:,"]+))/y;
/** Deeper texts are shown as they are: the page would need as many calls inside one another. */
const DEEPEST = 1000;
/** Members of one object or array that are shown at once, and levels that are open at first. */
const AT_ONCE = 200;
const OPEN_LEVELS = 3;
/** Larger texts are shown as they are, and folded. */
const LARGEST = 256 * 1024;

/**
 * Read a text without changing a character of its leaves: `{text, kind}`, or `{open, close, members: [{key, node}]}`.
 * @throws {SyntaxError} the text is no JSON, or too deep
 */
export function readJson(text) {
  JSON.parse(text);
  const tokens = tokensOf(text);
  return nodeOf(tokens.next().value, tokens, 0);
}

function* tokensOf(text) {
  TOKEN.lastIndex = 0;
  const pattern = new RegExp(TOKEN);
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) yield found;
}

function nodeOf([, mark, string, other], tokens, depth) {
  if (!mark) return string ? { text: string, kind: "string" } : { text: other, kind: "other" };
  if (depth > DEEPEST) throw new SyntaxError("The text is too deep.");
  const close = mark === "{" ? "}" : "]";
  const members = [];
  for (let token = tokens.next().value; token[1] !== close; token = tokens.next().value) {
    if (token[1] === ",") continue;
    members.push(mark === "{" ? member(token[2], tokens, depth) : { node: nodeOf(token, tokens, depth + 1) });
  }
  return { open: mark, close, members };
}

function member(key, tokens, depth) {
  tokens.next(); // the colon
  return { key, node: nodeOf(tokens.next().value, tokens, depth + 1) };
}

/** Return a node's text without the spaces between its parts. */
export function textOf(node) {
  if (!node.members) return node.text;
  const members = node.members.map(({ key, node: inner }) => (key ? `${key}:${textOf(inner)}` : textOf(inner)));
  return `${node.open}${members.join(",")}${node.close}`;
}

/** A text that is JSON, most often: as a tree or as it is. */
export function Body({ text, label, depth = OPEN_LEVELS }) {
  const size = bytesOf(text);
  const [view, setView] = useState(size > LARGEST ? "raw" : "tree");
  const tree = view === "tree" ? treeOf(text) : null;
  return html`<div class="body"><div class="tools">
      <${Choice} label=${`View of ${label}`} of=${[["tree", "Tree"], ["raw", "Raw"]]} value=${tree ? "tree" : "raw"} onChange=${setView} />
      <span class="muted">${size.toLocaleString("en")} bytes</span>
      <button type="button" class="small" onClick=${() => copy(text, label)}>Copy</button></div>
    ${tree ? html`<div class="tree" role="group" aria-label=${label} tabindex="0"><${Tree} node=${tree} depth=${depth} /></div>` : html`<${Raw} text=${text} label=${label} isFolded=${size > LARGEST} />`}
  </div>`;
}

function treeOf(text) {
  try {
    return readJson(text);
  } catch {
    return null;
  }
}

function Raw({ text, label, isFolded }) {
  const [isOpen, setOpen] = useState(!isFolded);
  const shown = isOpen ? text : text.slice(0, 2000);
  return html`<pre class="raw" tabindex="0" role="group" aria-label=${label}>${shown}${!isOpen && "…"}</pre>
    ${!isOpen && html`<button type="button" class="small" onClick=${() => setOpen(true)}>Show all of it</button>`}`;
}

function Tree({ name, node, depth, comma = "" }) {
  const key = name && html`<span class="key">${name}</span>: `;
  if (!node.members) return html`<div class="leaf">${key}<span class=${node.kind}>${node.text}</span>${comma}</div>`;
  if (!node.members.length) return html`<div class="leaf">${key}${node.open}${node.close}${comma}</div>`;
  return html`<${Branch} head=${key} node=${node} depth=${depth} comma=${comma} />`;
}

function Branch({ head, node, depth, comma }) {
  const [isOpen, setOpen] = useState(depth > 0);
  const [most, setMost] = useState(AT_ONCE);
  const count = node.members.length;
  const last = count - 1;
  return html`<details open=${isOpen} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${head}${node.open}${!isOpen && html`<span class="muted"> ${count} ${node.close}</span>${comma}`}</summary>
    ${isOpen && html`<div class="members">${node.members.slice(0, most).map((each, at) => html`<${Tree} key=${at} name=${each.key} node=${each.node} depth=${depth - 1} comma=${at < last ? "," : ""} />`)}
      ${count > most && html`<button type="button" class="small" onClick=${() => setMost(most + 10 * AT_ONCE)}>${(count - most).toLocaleString("en")} more</button>`}</div>
    <div class="leaf">${node.close}${comma}</div>`}
  </details>`;
}

// Redeliver, or discard, all that the filter selects: first a dry run, then the count is asked for.
import { useEffect, useState } from "preact/hooks";
import { post } from "./api.js";
import { Act, Badge, html, Modal, plural, say, sayProblem, Trouble } from "./parts.js";
import { go, productName } from "./route.js";
import { filter } from "./rows.js";
import { now } from "./server.js";

const SHOWN = 5;
const KINDS = {
  redeliver: ["Redeliver", "Each event is delivered once more: the same bytes, to the present URL. Pending deliveries are left out."],
  discard: ["Discard", "Pending deliveries are cancelled. Those in flight stay."],
};

/** Return the body that selects what the list shows; without a filter, all until now. */
function selection() {
  const { job, ...words } = filter.value;
  const body = { ...words, ...(job && { ofJob: job }), ...(productName.value && { product: productName.value }) };
  return Object.keys(body).length ? body : { before: now.value };
}

export function Bulk({ kind, onClose }) {
  const path = `deliveries/${kind}`;
  const [title, text] = KINDS[kind];
  const [body] = useState(selection);
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => { post(`${path}/dry-run`, body, { query: { limit: SHOWN } }).then(setFound, setError); }, []);
  const act = () => post(path, body).then((done) => finish(kind, done, onClose), sayProblem);
  return html`<${Modal} label=${title} onClose=${onClose}><h2>${title} ${found ? plural(found.count, "delivery") : ""}?</h2>
    <p>${text}</p>${error && html`<${Trouble} error=${error} />`}
    ${found && html`<ul class="first-of">${found.items.map((each) => html`<li key=${each._id}><${Badge} of=${each.status} /> ${each.event.event} <span class="mono muted">…${each._id.slice(-6)}</span></li>`)}</ul>
      ${found.count > found.items.length && html`<p class="muted">and ${(found.count - found.items.length).toLocaleString("en")} more.</p>`}`}
    <p class="actions"><${Act} kind="primary" disabled=${!found?.count} act=${act}>${title} ${found ? found.count.toLocaleString("en") : ""}<//><button type="button" onClick=${onClose}>Cancel</button></p><//>`;
}

/** Say what was done; a job has its own filter. */
function finish(kind, done, onClose) {
  onClose();
  if (kind === "discard") {
    say(`${done.items.length.toLocaleString("en")} discarded.`);
    return;
  }
  say(`${done.made.toLocaleString("en")} made, as the job ${done.job}.${done.withoutUrl ? ` ${done.withoutUrl} left out: no URL.` : ""}`);
  go("deliveries", { q: `job:${done.job}` });
}

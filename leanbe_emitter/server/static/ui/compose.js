// The composer: one of the 22 events, and what would be sent, byte for byte, before it is.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { ask, ofProduct, post } from "./api.js";
import { Fields } from "./form.js";
import { Body, readJson, textOf } from "./json.js";
import { Act, Choice, Code, Headers, html, Key, say, sayProblem, submitted, Trouble, typed, useAsk } from "./parts.js";
import { addressOf, choose, go, route } from "./route.js";
import { product } from "./server.js";

const FIRST = "idea.upVoted";
const TYPED_MS = 200;
/** Texts of the tab by product, event and origin: whoever comes back finds theirs. */
const drafts = new Map();
const mode = signal("form");

/** Return the text of a body's payload: it is what is signed. */
const payloadOf = (body) => textOf(readJson(body).members.find((each) => each.key === '"payload"').node);
const pretty = (text) => { try { return JSON.stringify(JSON.parse(text)) === textOf(readJson(text)) ? JSON.stringify(JSON.parse(text), null, 2) : text; } catch { return text; } };

/** Why a form would change a text; "": it would not. */
function formTrouble(text) {
  try {
    const value = JSON.parse(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return "The payload is no object.";
    return JSON.stringify(value) === textOf(readJson(text)) ? "" : "A form would change numbers, spaces in texts, or the order of this text.";
  } catch {
    return "The text is no JSON.";
  }
}

export function Compose() {
  const event = route.value.id || FIRST;
  const from = route.value.query.get("from") ?? "";
  if (!product.value) return html`<main class="page"><div class="bar"><h1>Compose</h1></div><p class="empty">There is no product yet. <a href=${addressOf("webhook")}>Make one.</a></p></main>`;
  return html`<${Composer} key=${`${event} ${from} ${product.value._id}`} event=${event} from=${from} owner=${product.value._id} />`;
}

/** The text that is edited, from the draft, from what was sent, or from a sample. */
function useText(event, from, owner) {
  const place = `${owner} ${event} ${from}`;
  const [text, setText] = useState(drafts.get(place) ?? null);
  const [error, setError] = useState(null);
  const set = (next) => { drafts.set(place, next); setText(next); };
  const load = () => (from ? sentText(from) : sampleText(owner, event)).then((found) => setText(pretty(found)), setError);
  useEffect(() => { if (text === null) load(); }, []);
  const again = () => { drafts.delete(place); load(); };
  return { text, set, error, again };
}

const sampleText = async (owner, event) => payloadOf((await post(ofProduct(owner, "/trigger/dry-run"), { events: [event] })).items[0].body);

async function sentText(id) {
  const { attempts, event } = await ask(`deliveries/${id}`);
  const body = attempts.at(-1)?.request.body;
  try { return payloadOf(body); } catch { return JSON.stringify(event.payload); }
}

/** What would be sent, after each change; `off`: what of the payload is off the schema. */
function usePreview(owner, event, text) {
  const [preview, setPreview] = useState({});
  useEffect(() => {
    if (text === null) return undefined;
    const leaving = new AbortController();
    const timer = setTimeout(() => dryRun(owner, event, text, leaving.signal).then(setPreview, (error) => error.name !== "AbortError" && setPreview({ error })), TYPED_MS);
    return () => { clearTimeout(timer); leaving.abort(); };
  }, [text]);
  return preview;
}

async function dryRun(owner, event, text, signal) {
  try { JSON.parse(text); } catch (error) { return { error: { message: "The text is no JSON.", hint: error.message } }; }
  const asked = (strict) => post(ofProduct(owner, "/trigger/dry-run"), undefined, { text: `{"events":[${JSON.stringify(event)}],"payload":${text},"strict":${strict}}`, signal });
  const { items } = await asked(false);
  const off = await asked(true).then(() => null, (error) => error);
  return { request: items[0], off };
}

function Composer({ event, from, owner }) {
  const { text, set, error, again } = useText(event, from, owner);
  const preview = usePreview(owner, event, text);
  const { data: schema } = useAsk(`events/catalogue/${event}/schema`, { query: { product: owner } });
  const send = async () => {
    try {
      JSON.parse(text);
      const made = await post(ofProduct(owner, "/events"), undefined, { text: `{"event":${JSON.stringify(event)},"payload":${text}}` });
      if (made.delivery) choose(made.delivery._id);
      else say("The event is recorded. Nothing is sent: the product has no URL, or leaves this event out.");
    } catch (problem) { sayProblem(problem); }
  };
  const why = text === null ? "" : formTrouble(text);
  const isForm = mode.value === "form" && !why && schema && text !== null;
  return html`<main class="page compose">
    <${Bar} event=${event} send=${send} canSend=${text !== null && !preview.error} />
    <div class="two scroll"><section class="half" aria-label="Payload">
        <div class="tools"><${Choice} label="Edit as" of=${[["form", "Form"], ["json", "JSON"]]} value=${isForm ? "form" : "json"} onChange=${(next) => { mode.value = next; }} />
          <span class="muted">${from ? html`From what <a href=${addressOf(`deliveries/${from}`)} class="mono">…${from.slice(-6)}</a> sent.` : "From a sample."}${isForm && JSON.stringify(schema).includes('"inferred"') && html` <abbr title="The article does not show it">~</abbr> is inferred.`}</span><button type="button" class="small" onClick=${again}>Start again</button></div>
        ${mode.value === "form" && why && html`<p class="muted">${why}</p>`}
        ${error && html`<${Trouble} error=${error} />`}
        ${isForm ? html`<form class="fields" onSubmit=${submitted(() => {})}><${Fields} schema=${schema} value=${JSON.parse(text)} change=${(value) => set(JSON.stringify(value, null, 2))} /></form>`
          : html`<textarea class="mono json-text" aria-label="Payload as JSON" spellcheck="false" value=${text ?? ""} onInput=${typed(set)}></textarea>`}</section>
      <section class="half" aria-label="What would be sent"><${Preview} of=${preview} /></section></div></main>`;
}

function Bar({ event, send, canSend }) {
  const { data } = useAsk("events/catalogue");
  const groups = Object.entries(Object.groupBy(data?.items ?? [], (each) => each.group));
  const about = data?.items.find((each) => each.name === event);
  return html`<div class="bar"><h1>Compose</h1>
    <select aria-label="Event" value=${event} onChange=${typed((name) => go(`compose/${name}`))}>${groups.map(([name, kinds]) => html`<optgroup key=${name} label=${name}>${kinds.map((kind) => html`<option key=${kind.name} value=${kind.name}>${kind.name}</option>`)}</optgroup>`)}</select>
    <span class="grow muted">${about?.meaning} ${about?.payloadSource === "inferred" && html`<span class="tag" title="The article names this event and does not show its payload">payload inferred</span>`}</span>
    <${Act} id="send" kind="primary" act=${send} disabled=${!canSend}>Send<${Key}>Ctrl ↵<//><//></div>`;
}

function Preview({ of }) {
  const { request, off, error } = of;
  if (error) return html`<${Trouble} error=${error} />`;
  if (!request) return html`<div class="loading" aria-busy="true"></div>`;
  return html`${off && html`<div class="note wait" role="status"><b>Off the schema, and sent all the same.</b><p>${off.message}</p></div>`}
    ${!request.url && html`<div class="note wait">The product has no URL: the event would be recorded, and nothing sent.</div>`}
    <section class="card"><h2>Request <span class="mono muted">${request.method} ${request.url ?? ""}</span></h2><${Headers} of=${request.headers} label="Headers of the request" /></section>
    <${SignatureOf} request=${request} />
    <section class="card"><h2>Body</h2><${Body} text=${request.body} label="Body of the request" /></section>`;
}

function SignatureOf({ request }) {
  const found = request.body.match(/"signature":"([^"]*)"\}$/)?.[1];
  if (!found) return null;
  return html`<section class="card"><h2>Signature</h2><${Code} text=${found} label="The signature" /><p class="muted">HMAC-SHA256 of the payload, exactly as it stands in the body below. What you send differs in <b>triggeredAt</b> alone.</p></section>`;
}

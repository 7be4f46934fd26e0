// One delivery with all its evidence: attempts, signature, request, answer.
import { computed } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ask, post } from "./api.js";
import { Body } from "./json.js";
import { focusList } from "./list.js";
import { Act, Badge, copy, dayAndTime, duration, Headers, html, Key, Modal, plural, say, sayProblem, shortTime, time, Trouble, useAsk } from "./parts.js";
import { addressOf, choose } from "./route.js";
import { rowOf, version } from "./rows.js";
import { isManual, now } from "./server.js";
import { Signature } from "./signature.js";

const FORMS = [["curl", "curl"], ["http", "Raw HTTP"], ["pytest", "pytest"], ["node", "node:test"], ["command", "leanbe-emitter command"]];

/** Deliver again, and open the new delivery. */
export async function redeliver(id) {
  try {
    const made = await post(`deliveries/${id}/redeliver`);
    say("Sent again, as a new delivery.");
    choose(made._id, { replaces: true });
  } catch (error) {
    sayProblem(error);
  }
}

/** Copy the request as code. */
export async function copyAs(id, form, attempt) {
  try {
    const { text, isMasked } = await ask(`deliveries/${id}/code`, { query: { as: form, attempt } });
    await copy(text, isMasked ? "Code with masked header values" : "Code");
  } catch (error) {
    sayProblem(error);
  }
}

export function Acts({ delivery, attempt }) {
  return html`<div class="acts" role="toolbar" aria-label="What to do with the delivery">
    <${Act} kind="primary" act=${() => redeliver(delivery._id)}>Redeliver<${Key}>r<//><//>
    <${Forms} onPick=${(form) => copyAs(delivery._id, form, attempt)} />
    <a class="button" href=${addressOf(`compose/${delivery.event.event}`, { from: delivery._id })}>Edit and send<${Key}>e<//></a></div>`;
}

/** The forms that the request can be copied in. */
function Forms({ onPick }) {
  const [isOpen, setOpen] = useState(false);
  const shut = () => setOpen(false);
  return html`<button type="button" onClick=${() => setOpen(true)}>Copy as…<${Key}>c<//></button>
    ${isOpen && html`<${Modal} label="Copy as" onClose=${shut}><h2>Copy the request as</h2>
      <p class="actions">${FORMS.map(([name, label]) => html`<button type="button" key=${name} onClick=${() => { shut(); onPick(name); }}>${label}</button>`)}<button type="button" class="plain" onClick=${shut}>Cancel</button></p><//>`}`;
}

/** Close the open delivery, and go back to its row. */
export function close() {
  choose("");
  focusList();
}

/** What of a row says that its delivery has to be read again. */
function useMark(id) {
  const mark = useMemo(() => computed(() => {
    version.value;
    const row = rowOf(id);
    return row ? `${row.status} ${row.attempts} ${row.nextDueAt}` : "";
  }), [id]);
  return mark.value;
}

export function Delivery({ id }) {
  const mark = useMark(id);
  const { data, error } = useAsk(`deliveries/${id}`, { mark });
  const [picked, pick] = useState(0);
  useEffect(() => pick(0), [id]);
  if (error) return html`<section class="detail" aria-label="Delivery"><div class="padded"><${Trouble} error=${error} /><button type="button" onClick=${close}>Close</button></div></section>`;
  if (!data) return html`<section class="detail" aria-label="Delivery" aria-busy="true"></section>`;
  const attempt = data.attempts.find((each) => each.number === picked) ?? data.attempts.at(-1);
  return html`<section class="detail" aria-label="Delivery" tabindex="-1">
    <${Head} delivery=${data} /><${Acts} delivery=${data} attempt=${attempt?.number} />
    <div class="evidence">
      <${Attempts} delivery=${data} picked=${attempt?.number} pick=${pick} />
      <${Signature} id=${id} attempt=${attempt} mark=${mark} product=${data.event.product} />
      ${attempt ? html`<${Request} attempt=${attempt} /><${Answer} attempt=${attempt} />` : html`<${ToCome} delivery=${data} />`}
    </div></section>`;
}

function Head({ delivery }) {
  const { event } = delivery;
  return html`<header class="detail-head">
    <button type="button" class="back" onClick=${close}>← List</button>
    <h2>${event.event}</h2><${Badge} of=${delivery.status} />
    <span class="mono muted" title=${delivery._id}>…${delivery._id.slice(-6)}</span>
    <button type="button" class="plain close" aria-label="Close" title="Close (Esc)" onClick=${close}>✕</button>
    <p class="muted facts">Raised ${dayAndTime(event.triggeredAt)}, as event ${event.sequence} of all.
      ${delivery.redeliveryOf && html` A redelivery of <a href=${addressOf(`deliveries/${delivery.redeliveryOf}`)} class="mono">…${delivery.redeliveryOf.slice(-6)}</a>.`}
      ${delivery.job && html` Of the job <a href=${addressOf("deliveries", { q: `job:${delivery.job}` })}>${delivery.job}</a>.`}
      ${documentOf(event.payload) && html` <a href=${addressOf("deliveries", { q: `about:${documentOf(event.payload)}` })}>All about this document</a>.`}</p>
  </header>`;
}

const documentOf = (payload) => (/^[0-9a-f]{24}$/.test(payload?._id) ? payload._id : "");

function Attempts({ delivery, picked, pick }) {
  const { attempts, nextDueAt, status } = delivery;
  return html`<section class="card"><h3>Attempts</h3>
    <ol class="attempts">${attempts.map((each) => html`<${Attempt} key=${each.number} of=${each} isPicked=${each.number === picked && attempts.length > 1} pick=${attempts.length > 1 ? pick : null} />`)}
      ${status === "pending" && html`<li class="due"><span class="number muted">${attempts.length + 1}</span><${Due} at=${nextDueAt} /></li>`}</ol>
    ${status === "exhausted" && html`<p class="muted">The retry schedule has ended after ${plural(attempts.length, "attempt")}. Redeliver it to try again.</p>`}
    ${status === "cancelled" && html`<p class="muted">It was cancelled, and is not tried again.</p>`}</section>`;
}

function Attempt({ of, isPicked, pick }) {
  const text = html`<span class="number muted">${of.number}</span>
    <span class="what"><${Badge} of=${of.outcome} text=${of.answer ? `${of.outcome} ${of.answer.status}` : of.outcome} />
      ${of.error && html` <span>${of.error}</span>`}${of.fault && html` <span class="tag" title="A fault that was armed here">fault ${of.fault}</span>`}</span>
    <span class="mono muted">${shortTime(of.startedAt, now.peek())}</span><span class="number">${duration(of.durationMs)}</span>`;
  return html`<li>${pick ? html`<button type="button" class="attempt" aria-pressed=${isPicked} onClick=${() => pick(of.number)}>${text}</button>` : html`<div class="attempt">${text}</div>`}</li>`;
}

/** When the next attempt is due; a manual clock can be moved to it. */
function Due({ at }) {
  if (!at) return html`<span>in flight</span>`;
  const left = now.value ? Date.parse(at) - Date.parse(now.value) : 0;
  const advance = () => post("clock/advance", { to: at }).catch(sayProblem);
  return html`<span class="what">due at ${time(at)}${left > 0 ? `, in ${duration(left)}` : ""}</span>
    ${isManual.value && left > 0 && html`<${Act} act=${advance}>Advance the clock to it<//>`}`;
}

function Request({ attempt }) {
  const { request } = attempt;
  return html`<section class="card"><h3>Request <span class="mono muted">POST ${attempt.url}</span></h3>
    <${Headers} of=${request.headers} label="Headers of the request" /><${Body} text=${request.body} label="Body of the request" /></section>`;
}

function Answer({ attempt }) {
  const { answer, error } = attempt;
  if (!answer) return html`<section class="card"><h3>Answer</h3><p>None: ${error ?? "the attempt has no answer"}.</p></section>`;
  return html`<section class="card"><h3>Answer <span class="mono">${answer.status}</span></h3>
    <${Headers} of=${answer.headers} label="Headers of the answer" />
    ${answer.body ? html`<${Body} text=${answer.body} label="Body of the answer" />` : html`<p class="muted">No body.</p>`}
    ${answer.length > answer.body.length && html`<p class="muted">The answer has ${answer.length.toLocaleString("en")} bytes; these are the stored ones.</p>`}</section>`;
}

function ToCome({ delivery }) {
  return html`<section class="card"><h3>Request to come <span class="mono muted">${delivery.url ? `POST ${delivery.url}` : "no URL"}</span></h3>
    <${Body} text=${JSON.stringify(delivery.event.payload)} label="Payload" /></section>`;
}

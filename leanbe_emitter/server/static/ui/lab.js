// The lab: faults, which are armed and fire, and the clock, which holds back retries until somebody moves it.
import { useState } from "preact/hooks";
import { ask, post } from "./api.js";
import { Act, Badge, Code, Column, dayAndTime, duration, html, plural, say, sayProblem, time, Trouble, useAsk, Words } from "./parts.js";
import { addressOf } from "./route.js";
import { changeCount, now, product, products, pulse } from "./server.js";

const GROUPS = { receiver: "The receiver fails", request: "The request is wrong", wire: "The connection breaks", schedule: "The order and number of requests" };

/** A part of a fault's way that somebody fills in, such as the CODE of `status:CODE`. */
const SLOT = /\b([A-Z]{2,})\b/;
const SLOTS = { CODE: "Status", DURATION: "How long" };

export function Faults() {
  // A fault that fires is no change of the list of faults, but of the number of those that are armed.
  const mark = `${changeCount("faults")} ${pulse.value?.faults ?? ""}`;
  const { data, error } = useAsk("faults", { mark });
  return html`<${Column} title="Faults" bar=${html`<span class="muted">Deliberate misbehaviour, counted: each attempt has one fault at most.</span>`}><${Arm} /><${Armed} faults=${data?.items} error=${error} /><//>`;
}

/** The form of a new fault, in words of what the receiver sees. */
function Arm() {
  const { data, error } = useAsk("faults/catalogue");
  const [chosen, setChosen] = useState({ kind: "receiver_fails", how: "status:CODE", value: "", times: 1, event: "", product: "" });
  if (error) return html`<${Trouble} error=${error} />`;
  if (!data) return html`<div class="loading" aria-busy="true"></div>`;
  const set = (name) => (event) => setChosen({ ...chosen, [name]: event.target.value, ...(name === "kind" && { how: "", value: "" }) });
  const kind = data.items.find((each) => each.kind === chosen.kind) ?? data.items[0];
  const way = kind.ways.find((each) => each.how === (chosen.how || kind.default)) ?? kind.ways[0];
  const [, slot] = way?.how.match(SLOT) ?? [];
  const value = chosen.value || (slot === "CODE" ? "503" : kind.default);
  const how = way?.how.replace(SLOT, value);
  const arm = async () => {
    const body = { kind: kind.kind, how, times: Number(chosen.times), event: chosen.event || undefined, product: chosen.product || undefined };
    await post("faults", body).then(() => say("Armed."), sayProblem);
  };
  const groups = Object.entries(Object.groupBy(data.items, (each) => each.group));
  return html`<section class="card"><h2>Arm a fault</h2><div class="inputs">
      <label class="wider">What goes wrong<select value=${kind.kind} onChange=${set("kind")}>${groups.map(([name, kinds]) => html`<optgroup key=${name} label=${GROUPS[name] ?? name}>${kinds.map((each) => html`<option key=${each.kind} value=${each.kind}>${each.kind.replaceAll("_", " ")}</option>`)}</optgroup>`)}</select></label>
      ${kind.ways.length > 1 && html`<label>How<select value=${way.how} onChange=${set("how")}>${kind.ways.map((each) => html`<option key=${each.how} value=${each.how}>${each.how}</option>`)}</select></label>`}
      ${slot && html`<label>${SLOTS[slot] ?? slot}<input value=${value} spellcheck="false" onInput=${set("value")} /></label>`}
      <label>How often<input type="number" min="1" step="1" value=${chosen.times} onInput=${set("times")} /></label>
      <label>Events<input placeholder="all, or idea.*" spellcheck="false" value=${chosen.event} onInput=${set("event")} /></label>
      ${(products.value?.length ?? 0) > 1 && html`<label>Product<select value=${chosen.product} onChange=${set("product")}><option value="">all</option>${products.value.map((each) => html`<option key=${each._id} value=${each._id}>${each.name}</option>`)}</select></label>`}</div>
    <p>The receiver sees: <${Words} text=${kind.sees} />${way && html` <code>${how}</code> stands for: <${Words} text=${way.sees} />.`}</p>
    <p class="actions"><${Act} kind="primary" act=${arm}>Arm<//></p></section>`;
}

function Armed({ faults, error }) {
  if (error) return html`<${Trouble} error=${error} />`;
  if (!faults) return null;
  const hasProducts = products.value?.length > 1;
  const name = (id) => products.value?.find((each) => each._id === id)?.name ?? id;
  const remove = (id) => ask(`faults/${id}`, { method: "DELETE" }).catch(sayProblem);
  const clear = () => ask("faults", { method: "DELETE" }).catch(sayProblem);
  if (!faults.length) return html`<section class="card"><h2>Armed</h2><p class="muted">No fault is armed: ${product.value?.name ?? "each product"} is delivered to as ever.</p></section>`;
  return html`<section class="card"><h2>Armed</h2><div class="wide-table" tabindex="0" role="group" aria-label="Faults"><table class="table"><thead><tr><th>Fault</th><th>Events</th>${hasProducts && html`<th>Product</th>`}<th>Fired</th><th><span class="unseen">Actions</span></th></tr></thead>
    <tbody>${faults.map((each) => html`<tr key=${each._id} class=${each.fired >= each.times ? "muted" : ""}><td class="mono">${[each.kind, each.how].filter(Boolean).join(":")}</td><td class="mono">${each.event ?? "all"}</td>${hasProducts && html`<td>${each.product ? name(each.product) : "all"}</td>`}
      <td><a href=${addressOf("deliveries", { q: `fault:${each.kind}` })}>${each.fired} of ${each.times}</a>${each.fired >= each.times && ", used up"}</td><td class="number"><${Act} kind="small" act=${() => remove(each._id)} aria-label=${`Remove ${each.kind}`}>Remove<//></td></tr>`)}</tbody></table></div>
    <p class="actions"><${Act} act=${clear}>Remove all<//></p></section>`;
}

const STEPS = [[5, "+5 s"], [60, "+1 min"], [3600, "+1 h"]];

export function Clock() {
  const mark = `${changeCount("clock")} ${now.value} ${pulse.value?.due ?? ""} ${pulse.value?.settled ?? ""}`;
  const { data, error } = useAsk("clock", { mark });
  const [moved, setMoved] = useState(null);
  return html`<${Column} title="Clock">
    ${error && html`<${Trouble} error=${error} />`}
    ${data && (data.kind === "manual" ? html`<${Manual} of=${data} onMoved=${setMoved} />` : html`<${Machine} of=${data} />`)}
    ${moved && html`<${Made} of=${moved} />`}<//>`;
}

function Manual({ of, onMoved }) {
  const move = (path, body) => post(`clock/${path}`, body).then(onMoved, sayProblem);
  const left = of.next ? duration(Date.parse(of.next.at) - Date.parse(of.now)) : "";
  return html`<section class="card"><h2>Manual clock</h2><p class="clock mono">${dayAndTime(of.now)}</p>
    <p>${of.next ? html`Next: ${plural(of.next.count, "retry")} at ${time(of.next.at)}, in ${left}.` : "No retry waits."} <span class="muted">Time stands still until you move it.</span></p>
    <p class="actions"><${Act} kind="primary" disabled=${!of.next} act=${() => move("advance", { to: "next" })}>To the next retry<//>
      <${Act} disabled=${!of.next} act=${() => move("run-until-settled")}>Until all is settled<//>
      ${STEPS.map(([seconds, text]) => html`<${Act} key=${text} act=${() => move("advance", { seconds })}>${text}<//>`)}</p></section>`;
}

const Machine = ({ of }) => html`<section class="card"><h2>The machine's clock</h2><p class="clock mono">${dayAndTime(of.now)}</p>
  <p>Retries come when they are due. A manual clock lets you move time yourself:</p><${Code} text="leanbe-emitter serve --ephemeral --clock manual" label="Command" /></section>`;

/** The attempts that a move has made. */
const Made = ({ of }) => html`<section class="card" aria-live="polite"><h2>${of.attempts.length ? plural(of.attempts.length, "attempt") : "No attempt"} made</h2>
  ${of.attempts.length > 0 && html`<div class="wide-table" tabindex="0" role="group" aria-label="Attempts"><table class="table"><tbody>${of.attempts.slice(0, 100).map((each) => html`<tr key=${`${each.delivery} ${each.number}`}><td class="mono">${time(each.startedAt)}</td><td><a href=${addressOf(`deliveries/${each.delivery}`)}>${each.event}</a></td><td>attempt ${each.number}</td><td><${Badge} of=${each.outcome} /></td><td class="wraps">${each.answer?.status ?? each.error ?? ""}</td><td class="number">${duration(each.durationMs)}</td></tr>`)}</tbody></table></div>`}</section>`;

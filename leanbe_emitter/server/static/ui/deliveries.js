// The page of deliveries: filter, counts, list, and the delivery that is open.
import { computed, effect, signal, untracked } from "@preact/signals";
import { List } from "./list.js";
import { html, Key, Lazy, plural, Trouble, typed } from "./parts.js";
import { arrivals, connection, counted, generation, heldCount, isPaused, resume, trouble } from "./reading.js";
import { addressOf, choose, chosen, filterText, go } from "./route.js";
import { filter, shown, withWord } from "./rows.js";
import { products } from "./server.js";

const STATUSES = ["pending", "delivered", "exhausted", "cancelled"];

/** Whether what arrives is opened, until somebody chooses something. */
const isFollowing = signal(false);
let followed = "";
/** What has to be true of a row for it to be opened as soon as it arrives; null: nothing is waited for. */
let awaited = null;
effect(() => {
  if (chosen.value !== followed) isFollowing.value = false;
});
effect(() => {
  const rows = arrivals.value;
  if (rows.length) untracked(() => follow(rows));
});

function follow(rows) {
  const found = isFollowing.value ? rows.at(-1) : awaited && rows.findLast(awaited);
  if (!found) return;
  awaited = null;
  followed = found._id;
  choose(found._id, { replaces: chosen.peek() });
}

/** Open the next delivery that arrives and fits. */
export function openNext(fits) {
  awaited = fits;
}

export function toggleFollowing() {
  followed = chosen.peek();
  isFollowing.value = !isFollowing.peek();
}

export function togglePause() {
  if (isPaused.peek()) resume();
  else isPaused.value = true;
}

const filterBy = (text) => go(chosen.peek() ? `deliveries/${chosen.peek()}` : "deliveries", { q: text }, { replaces: true });

export function Deliveries() {
  return html`<main class=${`page deliveries ${chosen.value ? "open" : ""}`}>
    <h1 class="unseen">Deliveries</h1><div class="unseen" aria-live="polite">${announced.value}</div><${Bar} /><${Counts} />
    <div class="split"><div class="side-list">${trouble.value && html`<${Refused} />`}<${First} /><${Empty} /><${List} /></div>
      ${chosen.value && html`<${Lazy} load=${() => import("./delivery.js")} name="Delivery" key="delivery" id=${chosen.value} />`}</div>
  </main>`;
}

function Bar() {
  return html`<div class="bar">
    <span class="title" aria-hidden="true">Deliveries</span>
    <input type="search" id="filter" class="grow" aria-label="Filter deliveries" aria-describedby="filter-words" spellcheck="false" autocomplete="off"
      placeholder="Filter: dark mode  status:pending  event:idea.*  answer:5xx  since:10m" value=${filterText.value} onInput=${typed(filterBy)} />
    <span id="filter-words" class="unseen">Words: status, event, outcome, answer, fault, about, job and since, each with a colon and a value. All else is free text.</span>
    <div class="group">
      <button type="button" class="pause" aria-pressed=${!isPaused.value} onClick=${togglePause}><span class=${`dot ${isPaused.value ? "" : connection.value}`} aria-hidden="true"></span>${liveText()}<${Key}>p<//></button>
      <button type="button" aria-pressed=${isFollowing.value} onClick=${toggleFollowing}>Follow<${Key}>f<//></button>
    </div>
    <a class="button primary" href=${addressOf("compose")}>Compose<${Key}>n<//></a>
  </div>`;
}

function liveText() {
  if (isPaused.value) return heldCount.value ? `Paused, ${heldCount.value.toLocaleString("en")} held` : "Paused";
  return { connecting: "Connecting", live: "Live", away: "Reconnecting", off: "Not live" }[connection.value];
}

/** What is about to be done with all deliveries that the filter selects; "": nothing. */
const bulk = signal("");

/** How many there are of each status: a choice of one is a word of the filter. */
function Counts() {
  const found = counted.value;
  const { status = "" } = filter.value;
  const pick = (name) => filterBy(withWord(filterText.value, "status", name === status ? "" : name));
  const text = (count) => (found ? `${count.toLocaleString("en")}${found.more ? "+" : ""}` : "");
  const count = (status ? found?.byStatus[status] : found?.count) ?? 0;
  const pending = found?.byStatus.pending ?? 0;
  const settled = status === "pending" ? 0 : status ? count : count - pending;
  return html`<div class="counts"><div class="chips" role="group" aria-label="Status">
      <button type="button" aria-pressed=${!status} onClick=${() => pick("")}>All <b>${text(found?.count ?? 0)}</b></button>
      ${STATUSES.map((name) => html`<button type="button" key=${name} aria-pressed=${status === name} onClick=${() => pick(name)}><span class=${`dot ${name}`} aria-hidden="true"></span>${name} <b>${text(found?.byStatus[name] ?? 0)}</b></button>`)}</div>
    <div class="bulk">${settled > 0 && html`<button type="button" class="small" onClick=${() => { bulk.value = "redeliver"; }}>Redeliver ${text(settled)}…</button>`}
      ${pending > 0 && ["", "pending"].includes(status) && html`<button type="button" class="small" onClick=${() => { bulk.value = "discard"; }}>Discard…</button>`}</div>
    ${bulk.value && html`<${Lazy} name="Bulk" load=${() => import("./bulk.js")} kind=${bulk.value} onClose=${() => { bulk.value = ""; }} />`}
    ${found?.searched && html`<span class="muted">Searched the newest ${found.searched.toLocaleString("en")}.</span>`}
  </div>`;
}

/** What screen readers are told: how many came, at most once in five seconds. */
const announced = signal("");
const ANNOUNCED_MS = 5000;
let unannounced = 0;
effect(() => {
  if (!arrivals.value.length) return;
  if (!unannounced) setTimeout(() => { announced.value = `${plural(unannounced, "new delivery")}.`; unannounced = 0; }, ANNOUNCED_MS);
  unannounced += arrivals.value.length;
});

const isEmpty = computed(() => generation.value > 0 && shown.value.length === 0);

const isPutAway = signal(stored("first") === "away");
/** Whoever has many deliveries at the beginning knows the way. */
const FEW = 20;
const hasFew = signal(true);
effect(() => {
  if (generation.value === 1) hasFew.value = shown.peek().length <= FEW;
});

function stored(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

function putAway() {
  isPutAway.value = true;
  try { localStorage.setItem("first", "away"); } catch { /* it comes again with the next visit */ }
}

/** The card that leads a newcomer. */
function First() {
  if (isPutAway.value || !hasFew.value || filterText.value || trouble.value || !products.value?.length || generation.value === 0) return null;
  return html`<${Lazy} name="FirstMinute" load=${() => import("./first.js")} putAway=${putAway} />`;
}

/** What would fill the list. */
function Empty() {
  if (trouble.value || !isEmpty.value) return null;
  if (filterText.value) return html`<div class="empty"><h2>No delivery fits the filter</h2>
    <button type="button" onClick=${() => filterBy("")}>Clear the filter</button></div>`;
  if (!products.value?.length) return html`<div class="empty"><h2>There is no product yet</h2>
    <a class="button primary" href=${addressOf("webhook")}>Make a product</a></div>`;
  if (!isPutAway.value) return null; // the card says what to do
  return html`<div class="empty"><h2>Nothing was sent yet</h2><p>Each delivery appears here at once.</p>
    <a class="button primary" href=${addressOf("compose")}>Compose an event</a></div>`;
}

function Refused() {
  return html`<${Trouble} error=${trouble.value} /><p class="actions">
    ${filterText.value && html`<button type="button" onClick=${() => filterBy("")}>Clear the filter</button>`}
    <a class="button" href=${addressOf("deliveries", { product: "", q: "" })}>Show all deliveries</a></p>`;
}

// The list of deliveries. Only rows in view are in the document, whatever there is.
import { computed, effect, signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Badge, duration, html, shortTime } from "./parts.js";
import { readOlder } from "./reading.js";
import { addressOf, choose, chosen } from "./route.js";
import { reading, rowOf, shown, statusText } from "./rows.js";
import { now } from "./server.js";

/** Rows before and after those in view. */
const AHEAD = 8;
/** Rows are keyed by their slot, so that scrolling reuses their nodes. */
const SLOTS = 128;
const narrow = matchMedia("(max-width: 760px)");

const isNarrow = signal(narrow.matches);
narrow.addEventListener("change", () => { isNarrow.value = narrow.matches; });
const rowHeight = computed(() => (isNarrow.value ? 58 : 36));
const view = signal({ top: 0, height: 900 });
/** The row that the keys are at; the open one, while one is open. */
export const active = signal("");
/** The newest row while the list stood at its top. */
let topId = "";

const first = computed(() => Math.max(0, Math.floor(view.value.top / rowHeight.value) - AHEAD));
const end = computed(() => Math.min(shown.value.length, Math.ceil((view.value.top + view.value.height) / rowHeight.value) + AHEAD));
const newer = computed(() => (view.value.top > 0 ? Math.max(0, shown.value.indexOf(topId)) : 0));

effect(() => { if (chosen.value) active.value = chosen.value; });

/** Move to the next or the previous row; the open delivery follows. */
export function step(by) {
  const ids = shown.peek();
  if (!ids.length) return;
  const at = ids.indexOf(active.peek());
  const next = at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by));
  active.value = ids[next];
  reveal(next);
  if (chosen.peek()) choose(ids[next], { replaces: true });
}

/** Scroll to a row that is out of view. */
function reveal(index) {
  const box = document.getElementById("list");
  if (!box) return;
  const top = index * rowHeight.peek();
  const shownHeight = box.clientHeight - rowHeight.peek();
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top > box.scrollTop + shownHeight - rowHeight.peek()) box.scrollTop = top - shownHeight + rowHeight.peek();
}

export const focusList = () => document.getElementById("list")?.focus();

function toNewest() {
  const box = document.getElementById("list");
  if (box) box.scrollTop = 0;
}

/** Keep what is in view in its place while rows arrive above it. */
function usePlace(box) {
  const anchor = useRef({ id: "", offset: 0 });
  const ids = shown.value;
  const height = rowHeight.value;
  useLayoutEffect(() => {
    const at = box.current.scrollTop > 0 ? ids.indexOf(anchor.current.id) : -1;
    if (at >= 0) box.current.scrollTop = at * height + anchor.current.offset;
  }, [ids]);
  return () => {
    if (!box.current) return; // a last event after the list has gone
    const top = box.current.scrollTop;
    const at = Math.floor(top / height);
    anchor.current = { id: shown.peek()[at] ?? "", offset: top - at * height };
    if (top === 0) topId = shown.peek()[0] ?? "";
    view.value = { top, height: box.current.clientHeight };
  };
}

export function List() {
  const box = useRef(null);
  const look = usePlace(box);
  const ids = shown.value;
  useEffect(() => {
    const observer = new ResizeObserver(look);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (view.peek().top === 0) topId = ids[0] ?? "";
    if (end.value >= ids.length) readOlder().catch(() => {});
  }, [ids, end.value]);
  const rows = [];
  for (let at = first.value; at < end.value; at += 1) rows.push(html`<${Row} key=${at % SLOTS} id=${ids[at]} row=${rowOf(ids[at])} at=${at} />`);
  return html`<div class="list" id="list" ref=${box} role="grid" aria-label="Deliveries" aria-rowcount=${reading.value.cursor ? -1 : ids.length + 1}
      aria-activedescendant=${ids.includes(active.value) ? `row-${active.value}` : undefined} tabindex="0" onScroll=${look} onKeyDown=${onKey}>
    <div role="rowgroup" class="head"><div role="row" aria-rowindex="1" class="columns">
      <span role="columnheader">Owed at</span><span role="columnheader">Event</span><span role="columnheader" class="wide">About</span>
      <span role="columnheader">Status</span><span role="columnheader" class="wide">Answer</span><span role="columnheader" class="number">Took</span></div></div>
    ${newer.value > 0 && html`<div class="newer"><button type="button" onClick=${toNewest}>↑ ${newer.value.toLocaleString("en")} newer</button></div>`}
    <div role="rowgroup" class="rows" style=${{ height: `${ids.length * rowHeight.value}px` }}>${rows}</div></div>`;
}

function onKey(event) {
  if (event.key !== "Enter" || event.target.id !== "list" || !active.value) return;
  event.preventDefault();
  choose(active.value);
}

/** A row; it depends on its own delivery alone, and on what is chosen. */
function Row({ id, row, at }) {
  const isChosen = chosen.value === id;
  const marks = `columns row${isChosen ? " chosen" : ""}${active.value === id ? " active" : ""}`;
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    choose(id, { replaces: Boolean(chosen.peek()) });
  };
  return html`<div class=${marks} id=${`row-${id}`} role="row" aria-rowindex=${at + 2} aria-selected=${isChosen} style=${{ transform: `translateY(${at * rowHeight.value}px)` }} onClick=${open}>
    <span role="gridcell" class="when mono" title=${row.owedAt}>${shortTime(row.owedAt, now.peek())}</span>
    <span role="gridcell" class="name"><a href=${addressOf(`deliveries/${id}`)} tabindex="-1">${row.event.event}</a>${row.redeliveryOf && html`<span class="again" title="A redelivery"><span aria-hidden="true">↻</span><span class="unseen"> redelivery</span></span>`}</span>
    <span role="gridcell" class="about wide muted">${row.about.text ?? row.about._id ?? ""}</span>
    <span role="gridcell" class="state"><${Badge} of=${row.status} text=${statusText(row)} /></span>
    <span role="gridcell" class="answer wide">${row.answer ?? (row.outcome && row.outcome !== "delivered" ? row.outcome : "")}${row.fault && html`<span class="tag" title=${row.fault}>fault</span>`}</span>
    <span role="gridcell" class="number took">${duration(row.durationMs)}</span></div>`;
}

// Reads the list, and goes on from its cursor with the stream: nothing is lost between the two.
import { batch, effect, signal, untracked } from "@preact/signals";
import { ask, askWithCursor, session } from "./api.js";
import { productName } from "./route.js";
import { clear, filter, keyOfId, MOST, put, reading, rowOf, shown } from "./rows.js";
import { departures, onChanged, pulse, readServer } from "./server.js";
import { follow } from "./stream.js";

const PAGE = 200;
/** Changes are applied once in this time, in a frame. */
const APPLIED_MS = 100;
/** Time after the last letter of a filter, and between two readings for the same one. */
const TYPED_MS = 200;
const AGAIN_MS = 2000;
const SOON_MS = 300;

/** "connecting", "live", "away", or "off": there is nothing to follow. */
export const connection = signal("connecting");
export const isPaused = signal(false);
/** How many deliveries came during a pause. */
export const heldCount = signal(0);
/** Why the list is not what the filter wants; null: it is. */
export const trouble = signal(null);
/** What the server counts for the filter: {count, byStatus, more, searched}; null: not yet. */
export const counted = signal(null);
/** Rows that came last by the stream and were new. */
export const arrivals = signal([]);
/** Attempts that failed since somebody looked. */
export const failures = signal(0);
/** Counts readings from the beginning: whatever was read before may be gone. */
export const generation = signal(0);

let leaving = new AbortController();
let queue = new Map();
let [isScheduled, isAsking, timer, askedAt] = [false, false, undefined, 0];
/** Whether the stream left out rows. */
let isBehind = false;

const queryOf = (words) => ({ ...words, product: productName.peek() });
const listOf = (words, cursor) => ({ ...queryOf(words), view: "rows", limit: PAGE, cursor });

/** Read all anew: at the beginning, after a reset, and for another product. */
async function readAnew() {
  leaving.abort();
  leaving = new AbortController();
  const left = leaving.signal;
  queue = new Map();
  const first = await untilAnswered(() => Promise.all([readFirst(left), readServer()]), left);
  if (!first || left.aborted) return;
  generation.value += 1;
  await follow({
    query: { product: productName.peek() },
    after: first[0],
    signal: left,
    onMessage,
    onState: (state) => { connection.value = state; },
    onLost: () => setTimeout(readAnew, 1000),
  });
}

/** Return what an attempt returns; again each second while no server is there. */
async function untilAnswered(attempt, left) {
  while (!left.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (!left.aborted && ![0, 401].includes(error.status)) giveUp(error); // the login says the latter
      if (left.aborted || error.code !== "unreachable") return undefined;
      connection.value = "away";
      await new Promise((done) => { setTimeout(done, 1000); });
    }
  }
}

/** Say why there is nothing to show, such as a product that is gone. */
const giveUp = (error) => batch(() => { clear(); counted.value = null; trouble.value = error; connection.value = "off"; });

/** Read the newest rows, and return the cursor from before. */
async function readFirst(left) {
  const { data, cursor } = await askWithCursor("deliveries", { query: listOf(filter.peek()), signal: left });
  batch(() => { clear(); take(data); trouble.value = null; });
  recount();
  return cursor;
}

/** Take in a page of the list. */
function take(data) {
  put(data.items);
  const from = data.cursor ? keyOfId(data.items.at(-1)._id) : "";
  const found = new Set([...reading.peek().found, ...data.items.map((each) => each._id)]);
  reading.value = { from, cursor: data.cursor, found };
}

/** Ask the server for the present filter: its newest rows, and their count. */
async function readFiltered() {
  const words = filter.peek();
  try {
    const data = await ask("deliveries", { query: listOf(words) });
    if (filter.peek() !== words) return;
    batch(() => { reading.value = { ...reading.peek(), found: new Set() }; take(data); trouble.value = null; });
  } catch (error) {
    if (filter.peek() === words) trouble.value = error;
  }
  recount();
}

/** Read the next older rows; does nothing if they are asked for already, or if there are none. */
export async function readOlder() {
  const { cursor } = reading.peek();
  if (!cursor || isAsking || shown.peek().length >= MOST) return;
  isAsking = true;
  const words = filter.peek();
  try {
    const data = await ask("deliveries", { query: listOf(words, cursor) });
    if (filter.peek() === words) take(data);
  } finally {
    isAsking = false; // after an error, the next look at the end of the list asks again
  }
}

/** Count what the filter selects; the list does without the count. */
async function recount() {
  const words = filter.peek();
  const { status: _, ...others } = words; // of all statuses, whichever is shown
  const found = await ask("deliveries/count", { query: queryOf(others) }).catch(() => null);
  if (filter.peek() === words) counted.value = found;
}

function onMessage(name, data) {
  if (name === "rows") hold(data);
  else if (name === "pulse") pulse.value = data;
  else if (name === "changed") onChanged(data);
  else if (name === "reset") queueMicrotask(readAnew);
}

function hold({ items, skipped }) {
  for (const row of items) {
    queue.delete(row._id);
    queue.set(row._id, row);
  }
  isBehind ||= skipped > 0;
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(() => requestAnimationFrame(apply), APPLIED_MS);
}

function apply() {
  isScheduled = false;
  if (isPaused.peek()) {
    heldCount.value = queue.size;
    return;
  }
  const rows = [...queue.values()];
  queue = new Map();
  batch(() => {
    failures.value += rows.filter(isNewFailure).length;
    arrivals.value = put(rows);
    heldCount.value = 0;
  });
  askLater();
}

const isNewFailure = (row) =>
  row.outcome !== null && row.outcome !== "delivered" && row.attempts > (rowOf(row._id)?.attempts ?? 0);

/** Go on after a pause, with all that came meanwhile. */
export function resume() {
  isPaused.value = false;
  apply();
}

/** Ask again soon, and then not for a while: no count is kept here, and `q` looks into bodies. */
function askLater() {
  timer ??= setTimeout(() => {
    timer = undefined;
    askedAt = Date.now();
    const readsAgain = isBehind || filter.peek().q !== undefined;
    isBehind = false;
    if (readsAgain) readFiltered();
    else recount();
  }, Math.max(SOON_MS, askedAt + AGAIN_MS - Date.now()));
}

/** Begin, and read again whenever somebody logs in, chooses another product or filter, or deletes a product. */
export function begin() {
  effect(() => {
    session.value;
    productName.value;
    departures.value;
    untracked(readAnew);
  });
  let typed;
  effect(() => {
    filter.value;
    clearTimeout(typed);
    const read = connection.peek() === "off" ? readAnew : generation.peek() && readFiltered;
    if (read) typed = setTimeout(read, TYPED_MS);
  });
}

// The deliveries that the page knows, and those of them that the filter wants: rows at hand are filtered
// here at once, and the server answers for the rest.
import { computed, signal } from "@preact/signals";
import { filterText } from "./route.js";
import { now } from "./server.js";

/** The most rows that are kept; more are forgotten, the oldest first. */
export const MOST = 20_000;

/** Rows by id. */
const known = new Map();
/** Ids by `owedAt` and id, the oldest first: new ones come at the end. */
let order = [];

/** Grows whenever a row changes. */
export const version = signal(0);
export const filter = computed(() => parseFilter(filterText.value));
/**
 * What the server was asked with the present filter. Rows older than `from` may have gaps, and are not shown;
 * `found`: ids that it found in what no row shows, such as a payload.
 */
export const reading = signal({ from: "", cursor: undefined, found: new Set() });

const keyOf = (row) => `${row.owedAt} ${row._id}`;

export const rowOf = (id) => known.get(id);
export const keyOfId = (id) => keyOf(known.get(id));

/** Ids of the rows that fit the filter, the newest first; a new array each time, as signals compare by identity. */
export const shown = computed(() => {
  version.value;
  const { q, ...words } = filter.value;
  const { from, found } = reading.value;
  const at = now.peek();
  const isShown = (row) =>
    keyOf(row) >= from && fits(row, words, at) && (q === undefined || found.has(row._id) || fits(row, { q }, at));
  return order.filter((id) => isShown(known.get(id))).reverse();
});

/** Forget all rows. */
export function clear() {
  known.clear();
  order = [];
  version.value += 1;
}

/** Take in rows as they are now, and return those that are new to the page. */
export function put(rows) {
  const added = [];
  for (const row of rows) {
    if (!known.has(row._id)) added.push(row);
    known.set(row._id, row);
  }
  if (added.length) insert(added);
  if (rows.length) version.value += 1;
  return added;
}

/** Put new rows in their places: at the end, unless they are older than the last one. */
function insert(added) {
  const ids = added.map((row) => row._id);
  const last = order.at(-1);
  order = [...order, ...ids];
  const isInOrder = ids.every((id, at) => keyOfId(id) > (at ? keyOfId(ids[at - 1]) : last ? keyOfId(last) : ""));
  if (!isInOrder) order.sort((one, other) => (keyOfId(one) < keyOfId(other) ? -1 : 1));
  const gone = order.splice(0, Math.max(0, order.length - MOST));
  for (const id of gone) known.delete(id);
  if (gone.length && keyOfId(order[0]) > reading.value.from) {
    reading.value = { ...reading.value, from: keyOfId(order[0]), cursor: null };
  }
}

/** Return the row's state in words, with no number that is not explained. */
export function statusText({ status, attempts }) {
  const isPlain = attempts === 0 || (attempts === 1 && status !== "pending");
  return isPlain ? status : `${status}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
}

/** Words with a name; all others are free text. The server knows them by these names. */
export const NAMES = ["status", "event", "outcome", "answer", "fault", "about", "job", "since"];
const WORD = /(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g;
const UNITS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Return the filter of a text, by the names of the API's parameters; `q` is the free text. */
function parseFilter(text) {
  const found = {};
  const free = [];
  for (const [whole, name, quoted, plain] of text.matchAll(WORD)) {
    const value = quoted ?? plain;
    if (NAMES.includes(name)) found[name] = value;
    else free.push(name === undefined ? value : whole);
  }
  if (free.length) found.q = free.join(" ");
  return found;
}

/** Return the text of a filter with another value for a word; an empty one takes the word out. */
export function withWord(text, name, value) {
  const others = [...text.matchAll(WORD)].filter((found) => found[1] !== name).map((found) => found[0]);
  const word = value && `${name}:${/\s/.test(value) ? `"${value}"` : value}`;
  return [...others, word].filter(Boolean).join(" ");
}

/** Return whether a row fits, as far as it shows: the server looks for `q` in the whole body. */
export function fits(row, filter, now) {
  return Object.entries(filter).every(([name, value]) => TESTS[name](row, value, now));
}

const TESTS = {
  status: (row, value) => row.status === value,
  event: (row, value) => globOf(value).test(row.event.event),
  outcome: (row, value) => row.outcome === value,
  answer: (row, value) => row.answer !== null && globOf(value.replace(/xx$/i, "??")).test(String(row.answer)),
  fault: (row, value) => row.fault !== null && (value === "any" || `${row.fault}:`.startsWith(`${value}:`)),
  about: (row, value) => row.about._id === value,
  job: (row, value) => row.job === value,
  since: (row, value, now) => !now || row.owedAt >= instantOf(value, now),
  q: (row, value) => textOf(row).includes(value.toLowerCase()),
};

const globs = new Map();

function globOf(glob) {
  if (!globs.has(glob)) {
    const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
    globs.set(glob, new RegExp(`^${escaped}$`));
  }
  return globs.get(glob);
}

const textOf = (row) => `${row.event.event} ${row.about.text ?? ""} ${row.about._id ?? ""} ${row._id} ${row.event._id}`.toLowerCase();

function instantOf(text, now) {
  const [, count, unit] = text.match(/^(\d+(?:\.\d+)?)([smhdw])$/) ?? [];
  if (!unit) return text;
  return new Date(Date.parse(now) - count * UNITS[unit] * 1000).toISOString();
}

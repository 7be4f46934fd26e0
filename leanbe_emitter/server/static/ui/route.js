// Where the page is: all of it stands behind `#/`, so that a link shows a colleague the same.
import { computed, signal } from "@preact/signals";

const PAGES = ["deliveries", "compose", "webhook", "faults", "clock"];

function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [page, id = ""] = path.split("/");
  return { page: PAGES.includes(page) ? page : PAGES[0], id: decode(id), query: new URLSearchParams(query) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = signal(parse(location.hash));
export const page = computed(() => route.value.page);
/** The id of the delivery that is open, or "". */
export const chosen = computed(() => (route.value.page === "deliveries" ? route.value.id : ""));
export const filterText = computed(() => (route.value.page === "deliveries" ? (route.value.query.get("q") ?? "") : ""));
/** The name of the product in the address, or "" for all. */
export const productName = computed(() => route.value.query.get("product") ?? "");

addEventListener("hashchange", () => {
  route.value = parse(location.hash);
});

/** Return the address of a page; the product stays, and the filter within the deliveries. */
export function addressOf(path, changes = {}) {
  const query = new URLSearchParams();
  const kept = { product: productName.value, q: path.startsWith("deliveries") ? route.value.query.get("q") : "" };
  for (const [name, value] of Object.entries({ ...kept, ...changes })) if (value) query.set(name, value);
  const text = query.toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Go to a page; `replaces`: without a step in the browser's history. */
export function go(path, changes = {}, { replaces = false } = {}) {
  const address = addressOf(path, changes);
  if (!replaces) {
    location.hash = address;
    return;
  }
  history.replaceState(null, "", address);
  route.value = parse(address);
}

/** Open a delivery, or close the open one. */
export function choose(id, options) {
  go(id ? `deliveries/${id}` : "deliveries", {}, options);
}

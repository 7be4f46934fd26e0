// What the page knows of the server itself: products, clock, health; and who wants to know of changes.
import { computed, signal } from "@preact/signals";
import { ask } from "./api.js";
import { productName } from "./route.js";

/** What `GET /info` tells; null: not yet. */
export const info = signal(null);
export const products = signal(null);
/** The last pulse of the stream; null: none yet. */
export const pulse = signal(null);

/** The emitter's time, never the browser's. */
export const now = computed(() => pulse.value?.now ?? info.value?.clock.now ?? "");
export const isManual = computed(() => (pulse.value?.clock ?? info.value?.clock.kind) === "manual");
/** The product of pages that are about one: that of the address, or the first. */
export const product = computed(() => {
  const all = products.value ?? [];
  return all.find((each) => each.name === productName.value || each._id === productName.value) ?? all[0] ?? null;
});

/** Read what each page needs. */
export async function readServer() {
  const [about, all] = await Promise.all([ask("info"), ask("products")]);
  info.value = about;
  products.value = all.items;
}

/** Counts readings in which a product was gone: so is what was read of it. */
export const departures = signal(0);

export async function readProducts() {
  const { items } = await ask("products");
  const isGone = products.peek()?.some((each) => !items.some(({ _id }) => _id === each._id));
  products.value = items;
  if (isGone) departures.value += 1;
}

/** What changed last, and how often anything did: pages that show it read it anew. */
const changes = signal({});
const OF_PRODUCTS = ["products", "webhooks", "assumptions", "statuses"];

/** Return how often something changed: effects that read it come again. */
export const changeCount = (what) => changes.value[what] ?? 0;

/** Take in that something changed, by whichever process. */
export function onChanged({ what }) {
  changes.value = { ...changes.value, [what]: (changes.value[what] ?? 0) + 1 };
  if (OF_PRODUCTS.includes(what)) readProducts().catch(() => {});
}

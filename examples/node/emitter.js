// A client of leanbe-emitter's API for test suites in Node.js (20 or later), without packages.
//
//   import { advance, armFault, createProduct, reset, trigger, wait } from './emitter.js';
//
// `leanbe-emitter exec -- node --test` starts a server for the suite and names it in the environment.
const { LEANBE_EMITTER_URL = 'http://127.0.0.1:5326', LEANBE_EMITTER_TOKEN } = process.env;

/** Delete everything. The clock keeps its time. */
export const reset = () => emitter('reset', {});

/** Create a product. Its webhook is { url, secret }; assumptions are { timeout: '3s' } and the like. */
export const createProduct = (name, webhook, assumptions = {}) =>
  emitter('products', { name, webhook, assumptions });

/** Raise one event with sample data; `set` has the values that matter: { title: 'Dark mode' }. */
export const trigger = (product, event, set = {}) =>
  emitter(`products/${encodeURIComponent(product)}/events`, { event, set });

/** Wait until all that a call brought about was attempted; return the deliveries, oldest first. */
export async function wait({ cursor }) {
  const { document } = await emitter('deliveries/wait', { after: cursor });
  return document.items.reverse();
}

/** Move the clock: retries that fall due on the way happen. */
export const advance = (seconds) => emitter('clock/advance', { seconds });

/** Arm a fault for the next delivery; `more` may have how, times, event and product. */
export const armFault = (kind, more = {}) => emitter('faults', { kind, ...more });

/**
 * Post a body, or get what is there, and return the answer's document. Reject with the server's reason.
 *
 * The cursor is the place in the server's journal before the call's effects: `wait` begins there.
 */
export async function emitter(path, body) {
  const answer = await fetch(`${LEANBE_EMITTER_URL}/api/v1/${path}`, {
    method: body ? 'POST' : 'GET',
    body: body && JSON.stringify(body),
    headers: LEANBE_EMITTER_TOKEN ? { Authorization: `Bearer ${LEANBE_EMITTER_TOKEN}` } : {},
  });
  const document = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${document.detail} ${document.hint ?? ''}`);
  return { document, cursor: answer.headers.get('Leanbe-Emitter-Cursor') };
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';

import { advance, armFault, createProduct, emitter, reset, trigger, wait } from './emitter.js';
import { createApp } from './shipped.js';

const secret = process.env.LEANBE_WEBHOOK_SECRET ?? 'whsec_test';
let app, origin;

beforeEach(async () => {
  app = createApp({ secret }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  origin = `http://127.0.0.1:${app.address().port}`;
  await reset();
  await createProduct('Acme', { url: `${origin}/hooks/leanbe`, secret }, { timeout: '3s' });
});

afterEach(() => {
  app.close();
  app.closeAllConnections();
});

test('what is done is shipped', async () => {
  const came = await wait(await finished('Themes'));
  assert.deepEqual(answers(came), [
    'backlogItem.created: delivered',
    'backlogItem.statusChanged: delivered',
  ]);
  assert.deepEqual(await shipped(), ['Themes']);
});

test('an outage loses nothing', async () => {
  await armFault('receiver_fails', { how: 'status:503', times: 2 });
  const call = await triggered({ title: 'Themes', status: 'Done' });
  await advance(3600);
  const [delivery] = await wait(call);
  const outcomes = delivery.attempts.map((attempt) => attempt.outcome);
  assert.deepEqual(outcomes, ['refused', 'refused', 'delivered']);
  assert.deepEqual(await shipped(), ['Themes']);
});

test('what comes again is shipped once', async () => {
  await armFault('delivered_twice');
  await wait(await triggered({ title: 'Themes', status: 'Done' }));
  assert.deepEqual(await shipped(), ['Themes']);
});

for (const kind of ['wrong_secret', 'tampered_payload', 'missing_signature']) {
  test(`what leanbe did not sign is refused: ${kind}`, async () => {
    await armFault(kind);
    const came = await wait(await triggered({ title: 'Themes', status: 'Done' }));
    assert.deepEqual(answers(came), ['backlogItem.statusChanged: refused 401 bad signature']);
    assert.deepEqual(await shipped(), []);
  });
}

test('an event that nobody knows is accepted', async () => {
  await armFault('unknown_event');
  const came = await wait(await triggered({ title: 'Themes' }));
  assert.deepEqual(answers(came), ['backlogItem.statusChanged: delivered']);
  assert.deepEqual(await shipped(), []);
});

/** Make a backlog item and move it to Done, as Leanbe's users do. */
async function finished(title) {
  const made = await emitter('products/Acme/backlog-items', { title });
  await emitter(`products/Acme/backlog-items/${made.document._id}/status`, { status: 'Done' });
  return made;
}

/** Raise one event, made up, of a backlog item that is so. */
function triggered(set) {
  return trigger('Acme', 'backlogItem.statusChanged', set);
}

/** Say of each delivery what came of its last attempt. */
function answers(deliveries) {
  return deliveries.map(({ event, attempts }) => {
    const { outcome, answer, error } = attempts.at(-1);
    const why = outcome === 'delivered' ? [] : answer ? [answer.status, answer.body] : [error];
    return [`${event.event}: ${outcome}`, ...why].filter(Boolean).join(' ');
  });
}

async function shipped() {
  return (await fetch(`${origin}/shipped`)).json();
}

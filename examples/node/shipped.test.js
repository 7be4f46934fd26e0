import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';

import { emitter } from './emitter.js';
import { createApp } from './shipped.js';

const secret = process.env.LEANBE_WEBHOOK_SECRET ?? 'whsec_test';
let app, origin;

beforeEach(async () => {
  app = createApp({ secret }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  origin = `http://127.0.0.1:${app.address().port}`;
  await emitter('reset', {});
  const webhook = { url: `${origin}/hooks/leanbe`, secret };
  await emitter('products', { name: 'Acme', webhook, assumptions: { timeout: '3s' } });
});

afterEach(() => {
  app.close();
  app.closeAllConnections();
});

test('what is done is shipped', async () => {
  const came = await broughtAbout(await finished('Themes'));
  assert.deepEqual(answers(came), [
    'backlogItem.created: delivered',
    'backlogItem.statusChanged: delivered',
  ]);
  assert.deepEqual(await shipped(), ['Themes']);
});

test('an outage loses nothing', async () => {
  await emitter('faults', { kind: 'receiver_fails', how: 'status:503', times: 2 });
  const call = await triggered({ title: 'Themes', status: 'Done' });
  await emitter('clock/advance', { seconds: 3600 });
  const [delivery] = await broughtAbout(call);
  const outcomes = delivery.attempts.map((attempt) => attempt.outcome);
  assert.deepEqual(outcomes, ['refused', 'refused', 'delivered']);
  assert.deepEqual(await shipped(), ['Themes']);
});

test('what comes again is shipped once', async () => {
  await emitter('faults', { kind: 'delivered_twice' });
  await broughtAbout(await triggered({ title: 'Themes', status: 'Done' }));
  assert.deepEqual(await shipped(), ['Themes']);
});

for (const kind of ['wrong_secret', 'tampered_payload', 'missing_signature']) {
  test(`what leanbe did not sign is refused: ${kind}`, async () => {
    await emitter('faults', { kind });
    const came = await broughtAbout(await triggered({ title: 'Themes', status: 'Done' }));
    assert.deepEqual(answers(came), ['backlogItem.statusChanged: refused 401 bad signature']);
    assert.deepEqual(await shipped(), []);
  });
}

test('an event that nobody knows is accepted', async () => {
  await emitter('faults', { kind: 'unknown_event' });
  const came = await broughtAbout(await triggered({ title: 'Themes' }));
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
  return emitter('products/Acme/events', { event: 'backlogItem.statusChanged', set });
}

/** Wait until all that came of a call was attempted; return the deliveries, oldest first. */
async function broughtAbout({ cursor }) {
  const { document } = await emitter('deliveries/wait', { after: cursor });
  return document.items.reverse();
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

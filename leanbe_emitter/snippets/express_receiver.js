// A receiver of Leanbe's webhooks in Express (4 or 5), to start from.
//
//   npm install express
//   LEANBE_WEBHOOK_SECRET=whsec_test PORT=8000 node receiver.js
const crypto = require('crypto');
const express = require('express');

const secret = process.env.LEANBE_WEBHOOK_SECRET;
if (!secret) throw new Error('LEANBE_WEBHOOK_SECRET is empty: anybody could sign.');

// Leanbe signs JSON.stringify(payload), not the body: express.json() loses nothing that matters.
function isSigned({ payload, signature }) {
  if (payload === undefined || typeof signature !== 'string') return false;
  const hmac = crypto.createHmac('sha256', secret).update(JSON.stringify(payload));
  const [expected, found] = [Buffer.from(hmac.digest('hex')), Buffer.from(signature)];
  return found.length === expected.length && crypto.timingSafeEqual(found, expected);
}

// The same event may come twice. Leanbe sends no id with it, but three members identify an event:
// store them in your database, under a unique key, in the transaction that handles the event.
const seen = new Set();

const handlers = new Map([
  ['idea.created', (idea) => console.log('new idea:', idea.title)],
]);

const app = express();

// Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue.
app.post('/hooks/leanbe', express.json({ limit: '2mb' }), (request, response) => {
  const envelope = request.body || {};
  if (!isSigned(envelope)) return response.sendStatus(401);
  const { event, triggeredAt, signature, payload } = envelope;
  const key = JSON.stringify([event, triggeredAt, signature]);
  if (seen.has(key)) return response.sendStatus(204);
  const handle = handlers.get(event); // accept all other events, also new ones
  if (handle) handle(payload);
  seen.add(key);
  response.sendStatus(204);
});

// Without this, Express answers a body that is not JSON with a stack trace.
app.use((error, request, response, next) => {
  if (!error.status) console.error(error);
  response.sendStatus(error.status || 500);
});

const server = app.listen(process.env.PORT || 8000, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/hooks/leanbe`);
});

// A receiver of Leanbe's webhooks in Node.js (18 or later), without dependencies, to start from.
//
//   LEANBE_WEBHOOK_SECRET=whsec_test PORT=8000 node receiver.js
const crypto = require('crypto');
const http = require('http');

const secret = process.env.LEANBE_WEBHOOK_SECRET;
if (!secret) throw new Error('LEANBE_WEBHOOK_SECRET is empty: anybody could sign.');
const MOST_BYTES = 2 * 1024 * 1024;

// Leanbe signs JSON.stringify(payload), not the body.
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

// Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue.
function receive(text) {
  let envelope;
  try { envelope = JSON.parse(text); } catch { return 400; }
  if (envelope === null || typeof envelope !== 'object') return 400;
  if (!isSigned(envelope)) return 401;
  const { event, triggeredAt, signature, payload } = envelope;
  const key = JSON.stringify([event, triggeredAt, signature]);
  if (seen.has(key)) return 204;
  const handle = handlers.get(event); // accept all other events, also new ones
  if (handle) handle(payload);
  seen.add(key);
  return 204;
}

const server = http.createServer((request, response) => {
  const answer = (status) => response.writeHead(status).end();
  if (request.method !== 'POST' || request.url !== '/hooks/leanbe') return answer(404);
  const chunks = [];
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    if (size <= MOST_BYTES) chunks.push(chunk);
  });
  request.on('end', () => {
    if (size > MOST_BYTES) return answer(413);
    try {
      answer(receive(Buffer.concat(chunks).toString('utf8')));
    } catch (error) {
      console.error(error);
      answer(500);
    }
  });
});
server.listen(process.env.PORT || 8000, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/hooks/leanbe`);
});

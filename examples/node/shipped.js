// What was shipped, told by Leanbe's webhooks: a receiver without dependencies.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const MOST_BYTES = 2 * 1024 * 1024;

/** Return a server that is not listening yet: Leanbe posts to /hooks/leanbe, /shipped shows titles. */
export function createApp({ secret }) {
  if (!secret) throw new Error('The secret is empty: anybody could sign.');
  // In memory, to be short. In a database `seen` has a unique key, and is written in the transaction
  // of what the event changes: what is seen is done, or neither is.
  const seen = new Set();
  const shipped = [];

  const handlers = new Map([
    ['backlogItem.statusChanged', (item) => { if (item.status === 'Done') shipped.push(item.title); }],
  ]);

  function receive({ event, triggeredAt, signature, payload }) {
    const handle = handlers.get(event); // all others are accepted, new ones too
    const key = JSON.stringify([event, triggeredAt, signature]); // Leanbe may send an event again
    if (!handle || seen.has(key)) return;
    handle(payload);
    seen.add(key);
  }

  async function hook(request, response) {
    const envelope = parsed(await textOf(request));
    if (!envelope) return response.writeHead(400).end('no envelope');
    if (!isSigned(envelope, secret)) return response.writeHead(401).end('bad signature');
    receive(envelope);
    response.writeHead(204).end();
  }

  const routes = {
    'POST /hooks/leanbe': hook,
    'GET /shipped': (_, response) => response.end(JSON.stringify(shipped)),
  };

  return createServer(async (request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    try {
      if (route) await route(request, response);
      else response.writeHead(404).end();
    } catch (error) {
      console.error(error);
      response.writeHead(500).end();
    }
  });
}

/** Leanbe signs JSON.stringify(payload), not the body. */
function isSigned({ payload, signature }, secret) {
  if (payload === undefined || typeof signature !== 'string') return false;
  const hmac = createHmac('sha256', secret).update(JSON.stringify(payload));
  const [expected, found] = [Buffer.from(hmac.digest('hex')), Buffer.from(signature)];
  return found.length === expected.length && timingSafeEqual(found, expected);
}

async function textOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MOST_BYTES) chunks.push(chunk);
  }
  return size > MOST_BYTES ? '' : Buffer.concat(chunks).toString('utf8');
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

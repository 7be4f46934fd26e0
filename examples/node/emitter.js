// All that a suite needs of leanbe-emitter's API: JSON there, JSON back.
const { LEANBE_EMITTER_URL = 'http://127.0.0.1:5326', LEANBE_EMITTER_TOKEN } = process.env;

/**
 * Post a body, or get what is there; reject with what the server says is wrong.
 *
 * What was written comes with a cursor: all that it brings about comes behind that.
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

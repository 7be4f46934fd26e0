// What the snippet for Express uses of it, for machines that do not have it: post, json, use, listen.
const http = require('http');

module.exports = () => {
  const routes = new Map();
  let onError;

  const serve = async (request, response) => {
    response.sendStatus = (status) => response.writeHead(status).end();
    const steps = routes.get(`${request.method} ${request.url}`) || [];
    if (!steps.length) return response.sendStatus(404);
    try {
      for (const step of steps) await step(request, response, () => {});
    } catch (error) {
      onError(error, request, response, () => {});
    }
  };

  return {
    post: (path, ...steps) => routes.set(`POST ${path}`, steps),
    use: (step) => { onError = step; },
    listen: (port, host, then) => http.createServer(serve).listen(port, host, then),
  };
};

module.exports.json = () => async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (!text) return; // as in Express 5, the body stays undefined
  try {
    if (!/^\s*[[{]/.test(text)) throw new SyntaxError('no object or array');
    request.body = JSON.parse(text);
  } catch (error) {
    throw Object.assign(error, { status: 400 });
  }
};

// Reads a list of JSON texts on stdin; prints what usual JavaScript makes of each, in base64.
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const byKey = (value) => Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]]));
const ways = {
  'js-stringify': (payload) => JSON.stringify(payload),
  'js-indent-2': (payload) => JSON.stringify(payload, null, 2),
  'js-indent-4': (payload) => JSON.stringify(payload, null, 4),
  'js-indent-tab': (payload) => JSON.stringify(payload, null, '\t'),
  'js-twice': (payload) => JSON.stringify(JSON.stringify(payload)),
  'js-sorted': (payload) => JSON.stringify(payload, (_, value) => (isObject(value) ? byKey(value) : value)),
  'js-sorted-top': (payload) => JSON.stringify(isObject(payload) ? byKey(payload) : payload),
  'js-string': (payload) => `${payload}`,
};
const write = (way, text) => {
  try { return Buffer.from(way(JSON.parse(text)), 'utf8').toString('base64'); } catch { return null; }
};
const rows = Object.fromEntries(
  Object.entries(ways).map(([name, way]) => [name, texts.map((text) => write(way, text))]),
);
console.log(JSON.stringify({ version: `Node.js ${process.versions.node}`, rows }));

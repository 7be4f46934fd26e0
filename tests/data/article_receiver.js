// A receiver that holds nothing but the article's formula: 204 for what it accepts, 401 otherwise.
const crypto = require('crypto');
const http = require('http');
const webhookSecret = process.env.WEBHOOK_SECRET;

http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { payload, event, signature } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const computed = crypto.createHmac('sha256', webhookSecret)
      .update(JSON.stringify(payload)).digest('hex');
    console.log(JSON.stringify({ event, text: payload.title || payload.firstName }));
    response.writeHead(computed === signature ? 204 : 401).end();
  });
}).listen(0, '127.0.0.1', function listening() {
  console.log(`http://127.0.0.1:${this.address().port}/`);
});

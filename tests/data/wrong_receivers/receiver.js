// Receivers as people write them from the article, one for each path.
const { createHmac } = require("node:crypto");
const { createServer } = require("node:http");

const secret = process.env.LEANBE_SECRET;
const signed = (text) => createHmac("sha256", secret).update(text).digest("hex");

function computed(path, raw, body) {
  switch (path) {
    case "/js-indent-2":
      return signed(JSON.stringify(body.payload, null, 2));
    case "/js-twice":
      return signed(JSON.stringify(JSON.stringify(body.payload)));
    case "/js-string":
      return signed(`${body.payload}`);
    case "/envelope-without-signature-hashed": {
      const { signature, ...rest } = body;
      return signed(JSON.stringify(rest));
    }
    // MENDED
  }
}

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const raw = Buffer.concat(pieces);
    const body = JSON.parse(raw);
    // The usual middleware for other senders' webhooks: the signature is in a header, over the raw body.
    const isRight =
      request.url === "/header-expected"
        ? signed(raw) === request.headers["x-signature"]
        : computed(request.url, raw, body) === body.signature;
    response.writeHead(isRight ? 204 : 401).end();
  });
}).listen(Number(process.argv[2]), "127.0.0.1");

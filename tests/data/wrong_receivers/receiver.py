"""Receivers as people write them from the article, one for each path."""

import hashlib
import hmac
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

secret = os.environ["LEANBE_SECRET"]


def signed(text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def computed(path: str, raw: bytes, payload: dict[str, Any]) -> str:
    if path == "/python-dumps":
        return signed(json.dumps(payload))
    if path == "/python-dumps-compact-unicode":
        return signed(json.dumps(payload, separators=(",", ":"), ensure_ascii=False))
    if path == "/python-dumps-sorted-compact":
        return signed(json.dumps(payload, separators=(",", ":"), sort_keys=True))
    if path == "/python-str":
        return signed(str(payload))
    if path == "/plain-sha256":
        text = raw[11 : raw.rindex(b',"event":')]
        return hashlib.sha256(text + secret.encode()).hexdigest()
    # MENDED
    raise ValueError(path)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        found = computed(self.path, raw, body["payload"])
        self.send_response(204 if hmac.compare_digest(found, body["signature"]) else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

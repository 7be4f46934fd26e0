"""Servers on which receivers run; each answers the same few paths.

======================= =================================================================
``/port``               200, the port of the client: the same port twice means one connection
``/close``              the same, and the server closes the connection
``/echo``               200, the request's body (not nginx)
``/chunked``            200, ``chunked`` in chunks
``/large``              200, 3 MB
``/nothing``            204
``/not-modified``       304
``/early``              413, before the server has read the request's body
``/no-length``          200, ``until the end``; the end of the connection ends it (not all servers)
======================= =================================================================
"""

import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

LARGE = 3_000_000
# A server refuses larger bodies, in bytes.
MOST = 1_000_000


def listening() -> socket.socket:
    """Return a socket that listens on a free port of 127.0.0.1."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)
    return sock


# uvicorn

Message = MutableMapping[str, Any]
_ASGI_ANSWERS: dict[str, tuple[int, dict[str, str], list[bytes]]] = {
    "/chunked": (200, {}, [b"chun", b"ked"]),
    "/large": (200, {"content-length": str(LARGE)}, [b"x" * LARGE]),
    "/nothing": (204, {}, [b""]),
    "/not-modified": (304, {}, [b""]),
    "/early": (413, {"content-length": "0"}, [b""]),
}


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer as the table above says."""
    path = scope["path"]
    body = b""
    while path != "/early":
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if path == "/echo":
        status, headers, pieces = 200, {"content-length": str(len(body))}, [body]
    elif path in {"/port", "/close"}:
        port = str(scope["client"][1]).encode()
        status, headers, pieces = 200, {"content-length": str(len(port))}, [port]
        if path == "/close":
            headers["connection"] = "close"
    else:
        status, headers, pieces = _ASGI_ANSWERS[path]
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def uvicorn_server(parser: str) -> Iterator[str]:
    """Run uvicorn in a thread, with the parser ``h11`` or ``httptools``."""
    config = uvicorn.Config(
        app, http=parser, ws="none", lifespan="off", log_level="critical", loop="asyncio"
    )
    server = uvicorn.Server(config)
    with listening() as sock:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield _url(sock)
        finally:
            server.should_exit = True
            thread.join()


# Python's http.server


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self._body = self.rfile.read(length) if self.path != "/early" else b""
        getattr(self, f"_{self.path[1:].replace('-', '_')}")()

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _sized(self, body: bytes, **headers: str) -> None:
        self._answer(200, body, Content_Length=str(len(body)), **headers)

    def _port(self) -> None:
        self._sized(str(self.client_address[1]).encode())

    def _close(self) -> None:
        self._sized(str(self.client_address[1]).encode(), Connection="close")

    def _echo(self) -> None:
        self._sized(self._body)

    def _chunked(self) -> None:
        self._answer(200, b"4\r\nchun\r\n3\r\nked\r\n0\r\n\r\n", Transfer_Encoding="chunked")

    def _large(self) -> None:
        self._sized(b"x" * LARGE)

    def _nothing(self) -> None:
        self._answer(204)

    def _not_modified(self) -> None:
        self._answer(304)

    def _early(self) -> None:
        self._answer(413, Content_Length="0", Connection="close")

    def _no_length(self) -> None:
        self._answer(200, b"until the end", Connection="close")

    def log_message(self, *args: object) -> None:
        """Print nothing."""


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


@contextmanager
def python_server() -> Iterator[str]:
    """Run the standard library's ``http.server`` in a thread."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield _url(server.socket)
        finally:
            server.shutdown()
            thread.join()


# Node

_NODE = r"""
const http = require('http');
const send = (res, status, body, headers = {}) => {
  res.writeHead(status, {'Content-Length': Buffer.byteLength(body), ...headers});
  res.end(body);
};
const answers = {
  '/port': (req, res) => send(res, 200, String(req.socket.remotePort)),
  '/close': (req, res) => send(res, 200, String(req.socket.remotePort), {Connection: 'close'}),
  '/echo': (req, res, body) => send(res, 200, body),
  '/chunked': (req, res) => { res.write('chun'); res.end('ked'); },
  '/large': (req, res) => send(res, 200, 'x'.repeat(LARGE)),
  '/nothing': (req, res) => { res.writeHead(204); res.end(); },
  '/not-modified': (req, res) => { res.writeHead(304); res.end(); },
  '/early-hints': (req, res) => {
    res.writeContinue();
    res.writeEarlyHints({link: '</style.css>; rel=preload'});
    send(res, 200, 'after 1xx');
  },
  '/no-length': (req, res) => {
    res.useChunkedEncodingByDefault = false;
    res.shouldKeepAlive = false;
    res.write('until ');
    res.end('the end');
  },
};
const server = http.createServer((req, res) => {
  if (req.url === '/early') return send(res, 413, '');
  const pieces = [];
  req.on('data', piece => pieces.push(piece));
  req.on('end', () => answers[req.url](req, res, Buffer.concat(pieces)));
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


@contextmanager
def node_server(*, keep_alive_ms: int = 60_000) -> Iterator[str]:
    """Run Node's http; it closes connections that idle for so long."""
    script = _NODE.replace("LARGE", str(LARGE)).replace("KEEP_ALIVE_MS", str(keep_alive_ms))
    with subprocess.Popen(["node", "-e", script], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


# nginx

_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr emerg;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address};
        {answers}
    }}
}}
"""
_ANSWERS = """
        root {folder};
        client_max_body_size {most};
        location /port {{ return 200 $remote_port; }}
        location /close {{ keepalive_timeout 0; return 200 $remote_port; }}
        location /nothing {{ return 204; }}
        location /not-modified {{ return 304; }}
        location /early {{ proxy_pass http://{address}/port; }}
        location /large {{ proxy_method GET; proxy_pass http://{address}/file; }}
        location /chunked {{
            proxy_method GET;
            proxy_pass http://{address}/small;
            sub_filter_types *;
            sub_filter whole chunked;
        }}
"""
_PROXIES = """
        location {path}/ {{ proxy_pass {to}/; proxy_set_header Host $http_host; }}
"""


@contextmanager
def nginx_server(folder: Path) -> Iterator[str]:
    """Run nginx, with its files in ``folder``."""
    (folder / "file").write_bytes(b"x" * LARGE)
    (folder / "small").write_bytes(b"whole")
    with _nginx(folder, answers=_ANSWERS, most=MOST) as url:
        yield url


@contextmanager
def nginx_proxy(folder: Path, *, path: str, to: str) -> Iterator[str]:
    """Run nginx as a proxy that removes a path's prefix."""
    with _nginx(folder, answers=_PROXIES, path=path, to=to) as url:
        yield url


@contextmanager
def _nginx(folder: Path, *, answers: str, **values: object) -> Iterator[str]:
    """Run nginx as one process in the foreground."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with listening() as sock:
        address = f"127.0.0.1:{sock.getsockname()[1]}"
        config = folder / "nginx.conf"
        answers = answers.format(folder=folder, address=address, **values)
        config.write_text(_NGINX.format(folder=folder, address=address, answers=answers))
        # The variable NGINX passes a socket that listens already: the port cannot be taken, and
        # no waiting is needed.
        process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(config)],
            pass_fds=[sock.fileno()],
            env={**os.environ, "NGINX": f"{sock.fileno()};"},
        )
        try:
            yield _url(sock)
        finally:
            process.kill()
            process.wait()


def _url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"

"""Hop table: how many files and functions of the package five calls pass through.

``python -m tools.hops`` prints one line for each call:

- ``files``: source files in which at least one function ran. A newcomer who follows the call in an
  editor has to open each of them.
- ``functions``: different functions and methods that ran, in those files.
- ``moves``: calls from one file into another one, repeated calls included. A high number beside few
  files means that the call goes back and forth between them.

Lower is easier to follow; compare the table with that of the commit before a change. Each call runs
once before it is counted, so that imports and caches do not count. Code outside of the package is
looked through: if SQLAlchemy calls a function of ours, the caller is the last function of ours.
"""

import asyncio
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx

from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.cli.app import main as run_command
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access

#: The folder whose code is counted.
PACKAGE = Path(__file__).parents[1] / "leanbe_emitter"
#: Address of webhooks to which no call of the table sends.
_UNUSED_URL = "http://127.0.0.1:9/"


class Walk:
    """The files and functions that a call passed through, and its moves between files.

    Args:
        package: the folder whose code is counted.

    Attributes:
        files: names of the files in which a function ran.
        functions: code of the functions that ran.
        moves: number of calls from one file into another one.
    """

    def __init__(self, package: Path = PACKAGE) -> None:
        self.files: set[str] = set()
        self.functions: set[CodeType] = set()
        self.moves = 0
        self._prefix = os.path.join(str(package), "")  # noqa: PTH118 - frames hold strings

    def note(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take an event of ``sys.setprofile``."""
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(self._prefix):
            return
        self.files.add(code.co_filename)
        self.functions.add(code)
        self.moves += self._calling_file(frame) not in {None, code.co_filename}

    def _calling_file(self, frame: FrameType) -> str | None:
        """Return the file of the nearest caller in the package; None if there is none."""
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(self._prefix):
            caller = caller.f_back
        return None if caller is None else caller.f_code.co_filename


@contextmanager
def walking(package: Path = PACKAGE) -> Iterator[Walk]:
    """Count the calls of the block, in this thread and in the threads that it starts."""
    walk = Walk(package)
    threading.setprofile(walk.note)
    sys.setprofile(walk.note)
    try:
        yield walk
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def walk_of(call: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> Walk:
    """Run a call twice, and count the second run.

    Args:
        call: the call to count.
        before: prepares a run of the call, and is not counted.
    """
    before()
    call()
    before()
    with walking() as walk:
        call()
    return walk


class _Accepting(BaseHTTPRequestHandler):
    """A receiver that answers 204."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the body and accept it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@contextmanager
def _receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Accepting)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _recorded_upvote() -> Walk:
    with Leanbe() as leanbe:
        product = leanbe.products.create("Acme", webhook_url=_UNUSED_URL)
        idea = product.ideas.create(title="Dark mode")
        return walk_of(lambda: product.ideas.upvote(idea))


def _delivery_by_a_worker(folder: str) -> Walk:
    with Leanbe(f"sqlite:///{folder}/worker.db") as leanbe, _receiver() as url:
        product = leanbe.products.create("Acme", webhook_url=url)
        create = partial(product.ideas.create, title="Dark mode")
        return walk_of(lambda: leanbe.work(drain=True), before=create)


def _trigger() -> Walk:
    with Leanbe() as leanbe, _receiver() as url:
        leanbe.products.create("Acme", webhook_url=url)
        return walk_of(lambda: leanbe.trigger("idea.created"))


def _upvote_over_http(folder: str) -> Walk:
    with Leanbe(f"sqlite:///{folder}/server.db") as leanbe:
        product = leanbe.products.create("Acme", webhook_url=_UNUSED_URL)
        idea = product.ideas.create(title="Dark mode")
        app = create_app(leanbe, settings=Settings(), access=Access())
        path = f"/api/v1/products/Acme/ideas/{idea.id}/upvote"
        return walk_of(lambda: asyncio.run(_post(app, path)))


async def _post(app: Any, path: str) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post(path)
        answer.raise_for_status()


def _idea_on_the_command_line(folder: str) -> Walk:
    db = f"sqlite:///{folder}/cli.db"
    with Leanbe(db) as leanbe:
        leanbe.products.create("Acme", webhook_url=_UNUSED_URL)
    arguments = ["--db", db, "idea", "create", "--title", "Dark mode", "--no-deliver"]
    return walk_of(partial(_run_quietly, arguments))


def _run_quietly(arguments: list[str]) -> None:
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        status = run_command(arguments)
    if status != 0:
        raise RuntimeError(f"the command failed with status {status}: {arguments}")


def walks() -> Mapping[str, Walk]:
    """Return the walk of each of the five calls, by the call's name."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "ideas.upvote, recorded only": _recorded_upvote(),
            "one delivery by a worker": _delivery_by_a_worker(folder),
            "leanbe.trigger": _trigger(),
            "POST .../upvote": _upvote_over_http(folder),
            "idea create --no-deliver": _idea_on_the_command_line(folder),
        }


def main() -> None:
    """Print the table."""
    print(f"{'call':30} {'files':>6} {'functions':>10} {'moves':>6}")
    for name, walk in walks().items():
        print(f"{name:30} {len(walk.files):6} {len(walk.functions):10} {walk.moves:6}")


if __name__ == "__main__":
    main()

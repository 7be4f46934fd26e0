"""A process that makes ideas: the product's server, one that does nothing, or the library alone.

The server is the product's without its command line; it delivers nothing unless it is told to, so
that every delivery stays owed. The bare one is FastAPI on uvicorn with an operation that answers
201 at once. Each has one core, of those that the benchmark has.
"""

import asyncio
import os
import socket
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response

from benchmarks.acting import FIELDS
from benchmarks.processes import measured, options, say, wait_for_word
from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.cli.invocation.process_tuning import infrequent_garbage_collection
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from leanbe_emitter.server.serving import BackgroundJobs, serve

#: More connections than the benchmark has clients.
_MOST_CONNECTIONS = 1024
#: As long as an idea's document.
_ANSWER = "x" * 600


def _serve(*, db: str, works: bool = False) -> None:
    settings = Settings(db=db)
    with Leanbe(db, settings=settings) as leanbe, _listening() as sock:
        app = create_app(leanbe, settings=settings, access=Access())
        ready = partial(say, port=sock.getsockname()[1])
        with infrequent_garbage_collection():
            serving = serve(
                app,
                leanbe,
                sock=sock,
                max_connections=_MOST_CONNECTIONS,
                background=BackgroundJobs(works=works),
                ready=ready,
            )
            asyncio.run(serving)


async def _serve_nothing() -> None:
    app = FastAPI()

    @app.post("/api/v1/products/{product}/ideas")
    async def create(product: str, request: Request) -> Response:
        del product
        await request.body()
        return Response(_ANSWER, 201, media_type="application/json")

    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    with _listening() as sock:
        # It listens already: whoever comes now is answered in a moment.
        say(port=sock.getsockname()[1])
        await uvicorn.Server(config).serve(sockets=[sock])


def _listening() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    # As the command does it: an answer's second part waits for nobody.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _create(*, db: str, ideas: int, together: int) -> None:
    """Make so many ideas with the library; so many of them in one transaction."""
    with Leanbe(db, settings=Settings(db=db)) as leanbe:
        product = leanbe.products.list()[0]
        say(ready=True)
        wait_for_word()
        with measured() as result:
            for _ in range(0, ideas, together):
                if together == 1:
                    product.ideas.create(**FIELDS)
                    continue
                with leanbe.transaction():
                    for _ in range(together):
                        product.ideas.create(**FIELDS)
        say(**result)


def _run(kind: str, **how: Any) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    match kind:
        case "server":
            _serve(**how)
        case "bare":
            asyncio.run(_serve_nothing())
        case _:
            _create(**how)


if __name__ == "__main__":
    _run(**options())

"""A bare loop: so many tasks, each of which sends the same body again and again, and nothing else.

It runs pyreqwest, the fastest client library that we know of, or our own sender. Where pyreqwest is
installed, the rest of this package's environment is not, and the other way round.
"""

import asyncio
from collections.abc import Awaitable, Callable

from benchmarks.processes import measured, options, say, wait_for_word

Send = Callable[[bytes], Awaitable[int]]


async def _loop(*, client: str, url: str, body: str, requests: int, in_flight: int) -> None:
    send = _pyreqwest(url) if client == "pyreqwest" else _ours(url)
    data = body.encode()
    say(ready=True)
    wait_for_word()
    turns = iter(range(requests))

    async def work() -> None:
        for _ in turns:
            status = await send(data)
            if status != 204:  # noqa: PLR2004 - what the receiver says
                raise RuntimeError(f"The receiver answered {status}.")

    with measured() as result:
        await asyncio.gather(*(work() for _ in range(in_flight)))
    say(**result)


def _pyreqwest(url: str) -> Send:
    from pyreqwest.client import ClientBuilder  # noqa: PLC0415 - only its own environment has it

    client = ClientBuilder().build()

    async def send(body: bytes) -> int:
        request = client.post(url).header("content-type", "application/json").body_bytes(body)
        answer = await request.build().send()
        return int(answer.status)

    return send


def _ours(url: str) -> Send:
    from benchmarks.engine import our_sender  # noqa: PLC0415 - is not there beside pyreqwest

    return our_sender(url)


if __name__ == "__main__":
    asyncio.run(_loop(**options()))

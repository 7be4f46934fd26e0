"""Names become addresses without holding anything else up."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from leanbe_emitter.delivery.network.connector import SystemResolver, look_up
from tests.support.event_loops import run_in_loop


class SlowBook:
    """A blocking lookup that answers when it is let go; it notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let_go = threading.Event()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        del port
        self.asked.append(host)
        self.let_go.wait()
        if host == "nobody.test":
            raise OSError("nobody knows it")
        return ("127.0.0.1",)


@run_in_loop
async def test_the_system_knows_addresses() -> None:
    assert await SystemResolver()("127.0.0.1", 80) == ("127.0.0.1",)
    assert look_up("::1", 80) == ("::1",)


@run_in_loop
async def test_those_who_ask_for_a_name_at_the_same_time_share_one_lookup() -> None:
    book = SlowBook()
    resolve = SystemResolver(lookup=book)
    asking = [asyncio.ensure_future(resolve("a.test", 80)) for _ in range(50)]
    await asyncio.sleep(0)
    book.let_go.set()
    assert {tuple(found) for found in await asyncio.gather(*asking)} == {("127.0.0.1",)}
    assert book.asked == ["a.test"]
    await resolve("a.test", 80)
    assert book.asked == ["a.test", "a.test"]  # an answer is not kept


@run_in_loop
async def test_a_lookup_that_was_given_up_is_left_to_the_next_who_asks() -> None:
    book = SlowBook()
    resolve = SystemResolver(lookup=book)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await resolve("a.test", 80)
    asking = asyncio.ensure_future(resolve("a.test", 80))
    await asyncio.sleep(0)
    book.let_go.set()
    assert await asking == ("127.0.0.1",)
    assert book.asked == ["a.test"]


@run_in_loop
async def test_slow_names_hold_up_neither_other_names_nor_the_loops_own_threads() -> None:
    book = SlowBook()
    slow = SystemResolver(lookup=book)
    asking = [asyncio.ensure_future(slow(f"{n}.test", 80)) for n in range(50)]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(lambda: "the database") == "the database"
    assert await SystemResolver()("127.0.0.1", 80)
    book.let_go.set()
    await asyncio.gather(*asking)


@run_in_loop
async def test_a_name_that_nobody_knows_is_an_error_for_all_who_asked() -> None:
    book = SlowBook()
    book.let_go.set()
    resolve = SystemResolver(lookup=book)
    found = await asyncio.gather(
        *(resolve("nobody.test", 80) for _ in range(3)), return_exceptions=True
    )
    assert [str(error) for error in found] == ["nobody knows it"] * 3


def test_a_lookup_outlives_its_loop_quietly() -> None:
    book = SlowBook()
    resolve = SystemResolver(lookup=book)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await resolve("a.test", 80)

    asyncio.run(give_up())
    book.let_go.set()
    assert asyncio.run(resolve("a.test", 80)) == ("127.0.0.1",)
    for thread in threading.enumerate():
        if thread.name == "resolve a.test":
            thread.join()

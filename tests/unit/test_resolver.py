"""Names become addresses without holding anything else up."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from leanbe_emitter.delivery.network.resolver import (
    Call,
    DaemonThreads,
    SystemResolver,
    look_up,
    start_daemon,
)
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


@run_in_loop
async def test_hung_names_take_a_bounded_number_of_threads_and_the_others_their_turn() -> None:
    book = SlowBook()
    before = threading.active_count()
    resolve = SystemResolver(lookup=book)
    asking = [asyncio.ensure_future(resolve(f"{n}.test", 80)) for n in range(256)]
    await asyncio.sleep(0)
    assert threading.active_count() - before <= 64
    asking.pop().cancel()
    await asyncio.sleep(0)
    book.let_go.set()
    await asyncio.gather(*asking)
    # Nobody waited for the last name any more when a thread was free for it.
    assert sorted(book.asked) == sorted(f"{n}.test" for n in range(255))


@run_in_loop
async def test_a_thread_that_cannot_start_fails_its_caller_and_not_the_name() -> None:
    full = True

    def start(run: Call) -> None:
        if full:
            raise RuntimeError("can't start new thread")
        start_daemon(run)

    resolve = SystemResolver(threads=DaemonThreads(limit=2, start=start))
    for _ in range(2):
        with pytest.raises(OSError, match="the system starts no thread for it"):
            await resolve("127.0.0.1", 80)
    full = False
    assert await resolve("127.0.0.1", 80) == ("127.0.0.1",)


@run_in_loop
async def test_a_lookup_waits_for_a_running_thread_where_no_other_starts() -> None:
    book = SlowBook()
    started = list[Call]()

    def start_one(run: Call) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(run)
        start_daemon(run)

    resolve = SystemResolver(lookup=book, threads=DaemonThreads(limit=2, start=start_one))
    asking = [asyncio.ensure_future(resolve(name, 80)) for name in ("a.test", "b.test")]
    await asyncio.sleep(0)
    book.let_go.set()
    assert await asyncio.gather(*asking) == [("127.0.0.1",)] * 2


@run_in_loop
async def test_callers_get_an_os_error_for_any_error_of_a_lookup() -> None:
    def broken(host: str, port: int) -> Sequence[str]:
        raise MemoryError(f"{host}:{port}")

    with pytest.raises(OSError, match=r"a\.test:80"):
        await SystemResolver(lookup=broken)("a.test", 80)


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
        if thread.name == "leanbe-resolver":
            thread.join()

"""Turns: one caller has it, whatever happens in the moment in which it is given or taken away."""

import asyncio
import threading

import pytest

from leanbe_emitter.library.runtime.awaitables import drive
from leanbe_emitter.library.runtime.loop_runner import CallerLock
from tests.support.waiting import PATIENCE_SECONDS


async def have_one(turns: CallerLock) -> None:
    async with turns.held():
        pass


def test_a_caller_keeps_the_lock_after_the_last_callers_loop_has_ended() -> None:
    turns = CallerLock()
    asyncio.run(have_one(turns))

    async def wait() -> None:
        async with asyncio.timeout(0.05):
            await have_one(turns)

    with turns._lock, pytest.raises(TimeoutError):
        asyncio.run(wait())
    asyncio.run(wait())


def test_a_lock_that_was_replaced_meanwhile_gives_no_turn() -> None:
    class TakenAway:
        """A place for a lock: one caller waits for it while another one puts it there."""

        is_held = False

        def acquire(self, timeout: float) -> bool:
            del timeout
            turns._lock = threading.Lock()
            self.is_held = True
            return True

        def release(self) -> None:
            self.is_held = False

    turns = CallerLock()
    turns._lock = taken = TakenAway()  # type: ignore[assignment]
    assert drive(turns._acquired()) is turns._lock
    assert not taken.is_held


def test_it_is_taken_from_a_loop_that_was_stopped_in_its_midst_once() -> None:
    async def stay() -> None:
        async with turns.held():
            loop.stop()
            await asyncio.Event().wait()

    turns, loop = CallerLock(), asyncio.new_event_loop()
    task = loop.create_task(stay())
    loop.run_forever()
    left = turns._lock
    drive(have_one(turns))
    assert turns._lock is not left
    assert not turns._replaced_abandoned(left)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    assert not left.locked()


def test_a_turn_can_end_in_the_midst_of_the_beginning_of_another() -> None:
    """As where the collector comes by then, and ends the task of a loop that was left behind."""
    turns = CallerLock()
    lock = drive(turns._acquired())

    def end() -> None:
        with turns._changing:
            turns._end(lock)

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not lock.locked()

"""Ctrl-C while attempts are made: it ends the attempt, and nothing that accounts for it."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from leanbe_emitter import Leanbe, ReceivedRequest
from leanbe_emitter.library.runtime.awaitables import drive
from leanbe_emitter.library.runtime.loop_runner import LoopRunner
from tests.support.engine_setup import RecordingWatcher
from tests.support.in_process_apps import wait_for_ever
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.scripted_transport import ScriptedTransport
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def leanbe() -> Iterator[Leanbe]:
    """An empty Leanbe in memory."""
    with Leanbe() as leanbe:
        yield leanbe


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_in_a_receiver_it_ends_the_attempt_there(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook=lambda _: press_ctrl_c())
    with pytest.raises(KeyboardInterrupt):
        leanbe.trigger("idea.created")
    delivery = leanbe.deliveries.last()
    assert (delivery.status, delivery.outcome) == ("pending", "unknown")


def test_over_the_network_it_ends_the_attempt(leanbe: Leanbe, receiver: LoopbackReceiver) -> None:
    def press_when_busy() -> None:
        receiver.busy.wait()
        press_ctrl_c()

    receiver.is_open.clear()
    leanbe.products.create("Acme", webhook_url=receiver.url)
    threading.Thread(target=press_when_busy).start()
    with pytest.raises(KeyboardInterrupt):
        leanbe.trigger("idea.created")
    receiver.is_open.set()
    delivery = leanbe.deliveries.last()
    command = delivery.code().text
    assert (delivery.status, delivery.outcome) == ("pending", "unknown")
    assert "was stopped in the middle" in (delivery.attempts[0].error or "")
    assert delivery.attempts[0].duration_ms > 0
    leanbe.deliver()
    again = leanbe.deliveries.last()
    assert [each.accepted for each in again.attempts] == [False, True]
    assert delivery.attempts[0].request_headers == again.attempts[1].request_headers
    assert again.code().text == command


def test_before_an_attempt_it_is_raised_in_its_place() -> None:
    class Pressing(RecordingWatcher):
        def started(self, _: object) -> None:
            press_ctrl_c()

    transport = ScriptedTransport()
    with Leanbe(transport=transport) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        with pytest.raises(KeyboardInterrupt):
            leanbe.trigger("idea.created", watcher=Pressing())
        assert leanbe.deliveries.last().outcome == "unknown"
    assert transport.requests == []


def test_on_the_way_into_the_loop_it_cancels_what_was_to_run_there() -> None:
    home = LoopRunner(meanwhile=nullcontext)

    async def wait_for_long() -> None:
        await asyncio.wait_for(asyncio.Event().wait(), PATIENCE_SECONDS)

    async def attempt() -> None:
        press_ctrl_c()
        await home.enter(wait_for_long)

    with pytest.raises(KeyboardInterrupt), home.interrupts.taking():
        drive(attempt())
    home.close()


def test_after_an_attempt_it_is_raised_when_that_is_settled() -> None:
    class Pressing(RecordingWatcher):
        def ended(self, *_: object) -> None:
            press_ctrl_c()

    with Leanbe(transport=ScriptedTransport()) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        with pytest.raises(KeyboardInterrupt):
            leanbe.trigger("idea.created", watcher=Pressing())
        assert leanbe.deliveries.last().delivered


def test_the_second_one_is_raised_at_once() -> None:
    class Pressing(RecordingWatcher):
        def started(self, _: object) -> None:
            press_ctrl_c()
            press_ctrl_c()
            raise AssertionError("it went on")

    with Leanbe(transport=ScriptedTransport()) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        with pytest.raises(KeyboardInterrupt):
            leanbe.trigger("idea.created", watcher=Pressing())


def test_afterwards_it_is_as_before_and_nothing_is_left_of_it() -> None:
    class Pressing(RecordingWatcher):
        def started(self, _: object) -> None:
            press_ctrl_c()

    with Leanbe(transport=ScriptedTransport()) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        with pytest.raises(KeyboardInterrupt):
            leanbe.trigger("idea.created", watcher=Pressing())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        thread = threading.Thread(target=leanbe.deliver)
        thread.start()
        thread.join()
        assert leanbe.deliveries.last().delivered


@pytest.fixture
def left_behind(leanbe: Leanbe) -> Iterator[asyncio.Task[None]]:
    """An attempt in a loop that Ctrl-C has stopped, as it stops a loop without a handler of its."""
    loop = asyncio.new_event_loop()

    async def hangs(_: ReceivedRequest) -> None:
        loop.call_soon(press_ctrl_c)
        await wait_for_ever()

    leanbe.products.create("Acme", webhook=hangs)
    task = loop.create_task(triggered(leanbe))
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    yield task
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    leanbe.stop_receivers()
    loop.close()


async def triggered(leanbe: Leanbe) -> None:
    await leanbe.trigger("idea.created")


def test_in_a_loop_of_somebody_elses_it_is_left_to_them(
    leanbe: Leanbe, left_behind: asyncio.Task[None]
) -> None:
    assert not left_behind.done()
    left_behind.cancel()
    with pytest.raises(asyncio.CancelledError):
        left_behind.get_loop().run_until_complete(left_behind)
    assert leanbe.deliveries.last().outcome == "unknown"


def test_a_task_left_behind_in_a_loop_holds_up_nobody(
    leanbe: Leanbe, left_behind: asyncio.Task[None]
) -> None:
    assert leanbe.deliver() == []
    assert not left_behind.done()

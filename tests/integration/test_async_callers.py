"""Awaited: the same methods, called from asynchronous code, run in the caller's own event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from leanbe_emitter import (
    Conflict,
    Filter,
    Leanbe,
    ManualClock,
    NotAwaited,
    Nothing,
    Product,
    ReceivedRequest,
    WaitTimedOut,
    transport_for,
)
from leanbe_emitter.testing.options import START
from tests.support.framework_apps import fastapi_app
from tests.support.in_process_apps import SOON, app_noting_lifespan, block_thread, wait_for_ever
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import PATIENCE_SECONDS

Act = Callable[[Leanbe, Product], Coroutine[Any, Any, object]]


class Here:
    """An asynchronous receiver that notes in which event loop and thread it is called."""

    def __init__(self) -> None:
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.threads: list[threading.Thread] = []
        self.in_flight = self.most_in_flight = 0

    async def __call__(self, _: ReceivedRequest) -> int:
        self.loops.append(asyncio.get_running_loop())
        self.threads.append(threading.current_thread())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        return 204


@pytest.fixture
def here() -> Here:
    return Here()


@asynccontextmanager
async def open_with_receiver(
    webhook: object, **assume: str
) -> AsyncIterator[tuple[Leanbe, Product]]:
    """A handle in a running loop, and a product whose events go to a receiver in this process."""
    async with Leanbe(seed=1, clock=ManualClock(START), assume=assume) as leanbe:
        yield leanbe, leanbe.products.create("Acme", webhook=webhook)


@pytest.fixture
def leanbe() -> Iterator[Leanbe]:
    """A handle that was opened where no loop runs."""
    with Leanbe(seed=1, clock=ManualClock(START), assume={"max_attempts": "2"}) as leanbe:
        yield leanbe


async def foreground(leanbe: Leanbe, product: Product) -> None:
    async with leanbe.foreground() as raised:
        product.ideas.create(title="Dark mode")
    assert [each.delivered for each in raised.deliveries] == [True]


async def redeliver(leanbe: Leanbe, product: Product) -> None:
    delivery = await leanbe.trigger("idea.created", product=product)
    (again,) = await leanbe.deliveries.redeliver(delivery)
    assert again.delivered
    assert len(await delivery.redeliver(times=2)) == 2


async def deliver(leanbe: Leanbe, product: Product) -> None:
    product.ideas.create(title="Dark mode")
    (attempt,) = await leanbe.deliver()
    assert attempt.outcome == "delivered"


async def advance(leanbe: Leanbe, product: Product) -> None:
    product.ideas.create(title="Dark mode")
    assert len(await leanbe.clock.advance(hours=1)) == 1
    assert await leanbe.clock.run_until_settled() == []


async def follow(leanbe: Leanbe, product: Product) -> None:
    product.ideas.create(title="Dark mode")
    await leanbe.follow([leanbe.deliveries.last()])
    assert leanbe.deliveries.last().delivered


@pytest.mark.parametrize("act", [foreground, redeliver, deliver, advance, follow])
def test_the_receiver_runs_in_the_callers_own_loop(act: Act, here: Here) -> None:
    async def test() -> set[asyncio.AbstractEventLoop]:
        async with open_with_receiver(here) as both:
            await act(*both)
        return {asyncio.get_running_loop()}

    assert asyncio.run(test()) == set(here.loops)


def test_both_ways_give_the_same_bytes() -> None:
    def synchronous() -> object:
        with Leanbe(seed=1, clock=ManualClock(START)) as leanbe:
            product = leanbe.products.create("Acme", webhook=fails_once())
            product.ideas.create(title="Dark mode")
            leanbe.deliver()
            leanbe.clock.advance(hours=1)
            leanbe.trigger("okr.created")
            return leanbe.deliveries.snapshot()

    async def asynchronous() -> object:
        async with open_with_receiver(fails_once()) as (leanbe, product):
            product.ideas.create(title="Dark mode")
            await leanbe.deliver()
            await leanbe.clock.advance(hours=1)
            await leanbe.trigger("okr.created")
            return leanbe.deliveries.snapshot()

    assert synchronous() == asyncio.run(asynchronous())


def fails_once() -> Callable[[ReceivedRequest], int]:
    answers = iter([503])
    return lambda _: next(answers, 204)


async def gathered(leanbe: Leanbe) -> None:
    attempts, nothing = await asyncio.gather(leanbe.deliver(), leanbe.settle())
    assert (len(attempts), repr(nothing)) == (1, "Nothing()")


async def grouped(leanbe: Leanbe) -> None:
    # Type checkers know that it can be awaited, not that tasks can be made of it.
    calls: Any = leanbe
    async with asyncio.TaskGroup() as group:
        delivering = group.create_task(calls.deliver())
        group.create_task(calls.settle())
    assert len(delivering.result()) == 1


async def in_a_task(leanbe: Leanbe) -> None:
    calls: Any = leanbe
    task = asyncio.create_task(calls.deliver())
    leanbe.deliveries.list()  # the task is to be awaited, and has not begun yet
    assert len(await task) == 1


async def waited_for(leanbe: Leanbe) -> None:
    assert len(await asyncio.wait_for(asyncio.shield(leanbe.deliver()), PATIENCE_SECONDS)) == 1


@pytest.mark.parametrize("act", [gathered, grouped, in_a_task, waited_for])
def test_tasks_can_be_made_of_a_call(act: Callable[[Leanbe], Coroutine[Any, Any, None]]) -> None:
    async def test() -> None:
        async with open_with_receiver(Here()) as (leanbe, product):
            product.ideas.create(title="Dark mode")
            await act(leanbe)

    asyncio.run(test())


def test_tasks_make_attempts_one_after_the_other(here: Here) -> None:
    async def test() -> None:
        async with open_with_receiver(here) as (leanbe, product):
            for _ in range(5):
                product.ideas.create(title="Dark mode")
            made = await asyncio.gather(leanbe.deliver(), leanbe.deliver(), leanbe.deliver())
            assert sum(map(len, made)) == 5

    asyncio.run(test())
    assert here.most_in_flight == 1


def test_a_call_may_be_awaited_after_another_one() -> None:
    async def test() -> None:
        async with open_with_receiver(Here()) as (leanbe, product):
            product.ideas.create(title="Dark mode")
            settling, delivering = leanbe.settle(), leanbe.deliver()
            assert len(await delivering) == 1
            await settling

    asyncio.run(test())


def test_settle_waits_for_deliveries_of_another_task(here: Here) -> None:
    async def test() -> None:
        async with open_with_receiver(here) as (leanbe, product):
            product.ideas.create(title="Dark mode")
            await asyncio.gather(leanbe.settle(until=lambda: bool(here.loops)), leanbe.deliver())

    asyncio.run(test())


USES: dict[str, Callable[[Any], object]] = {
    "attribute": lambda pending: pending.delivered,
    "truth": bool,
    "length": len,
    "loop": list,
    "index": lambda pending: pending[0],
    "comparison": lambda pending: pending == [],
    "order": lambda pending: pending < [],
    "membership": lambda pending: 1 in pending,
    "sum": lambda pending: pending + [1],  # noqa: RUF005 - that is what is tried
}


@pytest.mark.parametrize("use", USES)
def test_any_other_use_of_a_call_names_its_file_and_line(use: str) -> None:
    async def test() -> None:
        async with open_with_receiver(Here()) as (leanbe, _):
            pending: Any = leanbe.deliver()
            with pytest.raises(NotAwaited) as caught:
                USES[use](pending)
            assert (
                awaited_call_of(caught.value)
                == "leanbe.deliver() at tests/integration/test_async_callers.py"
            )
            assert caught.value.hint.endswith("write 'await leanbe.deliver()'.")

    asyncio.run(test())


def awaited_call_of(error: NotAwaited) -> str:
    """Return what the message says, less the line, which has to be a line of this file."""
    what, _, line = error.message.removesuffix(" was not awaited.").rpartition(":")
    assert 1 < int(line) < 1000
    return what


ASKED: dict[str, Callable[[Leanbe, Product], object]] = {
    "look up": lambda leanbe, _: leanbe.deliveries.list(),
    "act": lambda _, product: product.ideas.create(title="Dark mode"),
    "assert": lambda leanbe, _: leanbe.assert_delivered("idea.created"),
    "metrics": lambda leanbe, _: leanbe.metrics(),
    "transaction": lambda leanbe, _: leanbe.transaction().__enter__(),
    "the time": lambda leanbe, _: leanbe.clock.now(),
    "set the time": lambda leanbe, _: leanbe.clock.set(START),
}


@pytest.mark.parametrize("ask", ASKED)
def test_nothing_else_is_done_before_a_call_is_awaited(ask: str, here: Here) -> None:
    async def test() -> None:
        async with open_with_receiver(here) as (leanbe, product):
            leanbe.trigger("idea.created")
            with pytest.raises(NotAwaited, match=r"leanbe\.trigger\(\) at .*:\d+ was not"):
                ASKED[ask](leanbe, product)
            assert leanbe.deliveries.list() == []  # the call is given up, and told of once

    asyncio.run(test())
    assert here.loops == []


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda leanbe: leanbe.clock.advance(hours=1), "leanbe.clock.advance()"),
        (lambda leanbe: leanbe.settle(), "leanbe.settle()"),
        (lambda leanbe: leanbe.reset(), "leanbe.reset()"),
        (lambda leanbe: leanbe.deliveries.redeliver("f" * 24), "leanbe.deliveries.redeliver()"),
    ],
)
def test_a_handle_does_not_end_before_a_call_is_awaited(
    call: Callable[[Leanbe], object], what: str
) -> None:
    async def test() -> None:
        with pytest.raises(NotAwaited) as caught:
            async with open_with_receiver(Here()) as (leanbe, _):
                call(leanbe)
        assert awaited_call_of(caught.value) == f"{what} at tests/integration/test_async_callers.py"

    asyncio.run(test())


def test_an_error_of_the_block_comes_before_a_forgotten_await() -> None:
    async def test() -> None:
        async with open_with_receiver(Here()) as (leanbe, _):
            leanbe.deliver()
            raise KeyError("dark")

    with pytest.raises(KeyError):
        asyncio.run(test())


def test_a_call_shows_what_it_is() -> None:
    async def test() -> str:
        async with open_with_receiver(Here()) as (leanbe, _):
            pending = leanbe.deliver()
            shown = repr(pending)
            await pending
            return shown

    shown = asyncio.run(test())
    assert shown.startswith("<leanbe.deliver() at tests/integration/test_async_callers.py:")
    assert shown.endswith(", to be awaited>")


def test_a_result_that_is_complete_can_be_awaited(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook=lambda _: 204)
    delivery, attempts, nothing = leanbe.trigger("idea.created"), leanbe.deliver(), leanbe.settle()

    async def test() -> tuple[object, ...]:
        return await delivery, await attempts, await nothing

    assert asyncio.run(test()) == (delivery, attempts, nothing)
    assert isinstance(nothing, Nothing)


def test_with_is_refused_where_async_with_is_needed(leanbe: Leanbe) -> None:
    async def test() -> None:
        with pytest.raises(Conflict, match=r"Write 'async with Leanbe\(\)'"), Leanbe():
            pass
        with pytest.raises(Conflict, match=r"async with leanbe\.foreground"), leanbe.foreground():
            pass

    asyncio.run(test())


def test_a_synchronous_function_in_a_thread_calls_the_app_in_the_tests_loop(here: Here) -> None:
    async def test() -> None:
        async with open_with_receiver(here) as (leanbe, _):
            delivery = await asyncio.to_thread(leanbe.trigger, "idea.created")
            assert delivery.delivered
            await leanbe.trigger("idea.created")
            assert set(here.loops) == {asyncio.get_running_loop()}

    asyncio.run(test())


def test_the_loop_of_the_last_awaited_call_is_that_of_threads(leanbe: Leanbe, here: Here) -> None:
    async def test() -> None:
        await leanbe.trigger("idea.created")
        await asyncio.to_thread(leanbe.trigger, "idea.created")

    leanbe.products.create("Acme", webhook=here)
    asyncio.run(test())
    first, second = here.loops
    assert first is second


def test_threads_and_tasks_take_turns(here: Here) -> None:
    async def test() -> None:
        async with open_with_receiver(here) as (leanbe, product):
            for _ in range(6):
                product.ideas.create(title="Dark mode")
            made = await asyncio.gather(
                asyncio.to_thread(leanbe.deliver),
                leanbe.deliver(),
                asyncio.to_thread(leanbe.deliver),
            )
            assert sum(map(len, made)) == 6

    asyncio.run(test())
    assert here.most_in_flight == 1


def test_a_handle_goes_on_after_the_loop_that_it_was_used_in(leanbe: Leanbe, here: Here) -> None:
    leanbe.products.create("Acme", webhook=here)

    async def test() -> None:
        assert (await leanbe.trigger("idea.created")).delivered

    leanbe.trigger("idea.created")
    asyncio.run(test())
    leanbe.trigger("idea.created")
    asyncio.run(test())
    own, first, again, second = here.loops
    assert own is again
    assert len({own, first, second}) == 3


def test_a_loop_that_was_set_for_the_thread_is_home_while_it_idles(here: Here) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with Leanbe() as leanbe:
            leanbe.products.create("Acme", webhook=here)
            leanbe.trigger("idea.created")
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert here.loops == [loop]


def test_an_app_starts_and_stops_in_the_callers_loop() -> None:
    steps: list[str] = []

    async def test() -> None:
        async with open_with_receiver(app_noting_lifespan(steps)) as (leanbe, _):
            await leanbe.trigger("idea.created")
            await leanbe.stop_receivers()
            assert steps == ["lifespan.startup", "lifespan.shutdown"]

    asyncio.run(test())


def test_closing_an_app_that_was_never_called_needs_no_loop(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook=app_noting_lifespan([]))
    leanbe.stop_receivers()
    assert not leanbe._engine._loop_runner._is_own_used


def test_over_the_network_it_is_the_callers_loop_too(receiver: LoopbackReceiver) -> None:
    async def test() -> None:
        async with Leanbe() as leanbe:
            product = leanbe.products.create("Acme", webhook_url=receiver.url)
            assert (await leanbe.trigger("idea.created", product=product)).delivered
            await asyncio.gather(*(leanbe.trigger("idea.created") for _ in range(3)))
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(test())
    assert len(receiver.requests) == 4


async def hangs(_: ReceivedRequest) -> None:
    await wait_for_ever()


async def blocks(_: ReceivedRequest) -> None:
    block_thread()


def blocks_synchronously(_: ReceivedRequest) -> None:
    block_thread()


@pytest.mark.parametrize("receive", [hangs, blocks, blocks_synchronously])
def test_a_receiver_that_hangs_or_blocks_has_an_outcome_that_names_the_line(
    receive: Callable[[ReceivedRequest], Any],
) -> None:
    async def test() -> str | None:
        async with open_with_receiver(receive, timeout=f"{SOON}s") as (leanbe, _):
            delivery = await leanbe.trigger("idea.created")
            assert delivery.outcome == "unknown"
            return delivery.attempts[0].error

    said = asyncio.run(test())
    line = "loop().create_future()" if receive is hangs else "time.sleep(20)"
    assert line in (said or "")


def test_a_call_that_is_cancelled_is_accounted_for_and_holds_up_nobody(here: Here) -> None:
    limit = asyncio.Timeout(None)

    async def hangs_at_the_limit(_: ReceivedRequest) -> None:
        limit.reschedule(asyncio.get_running_loop().time())
        await wait_for_ever()

    async def test() -> None:
        async with open_with_receiver(hangs_at_the_limit) as (leanbe, _):
            with pytest.raises(TimeoutError):
                async with limit:
                    await leanbe.trigger("idea.created")
            delivery = leanbe.deliveries.last()
            assert (delivery.status, delivery.outcome) == ("pending", "unknown")
            assert "was stopped in the middle" in (delivery.attempts[0].error or "")
            leanbe.products.create("Other", webhook=here)
            leanbe.deliveries.discard([delivery])
            assert await leanbe.deliver() == []

    asyncio.run(test())


def test_inside_a_receiver_nothing_is_awaited() -> None:
    async def test() -> None:
        async def receive(_: ReceivedRequest) -> None:
            with pytest.raises(Conflict, match="inside a receiver"):
                await handle.deliver()

        async with open_with_receiver(receive) as (handle, _):
            assert (await handle.trigger("idea.created")).delivered

    asyncio.run(test())


def test_inside_a_transaction_nothing_is_awaited() -> None:
    async def test() -> None:
        async with open_with_receiver(Here()) as (leanbe, _):
            with leanbe.transaction(), pytest.raises(Conflict, match="inside a transaction"):
                await leanbe.deliver()

    asyncio.run(test())


def test_a_waiting_caller_lets_the_loop_run(here: Here) -> None:
    async def act(leanbe: Leanbe) -> None:
        await asyncio.sleep(0)
        await leanbe.deliver()

    async def test() -> None:
        async with open_with_receiver(here) as (leanbe, product):
            product.ideas.create(title="Dark mode")
            acting = asyncio.create_task(act(leanbe))
            (found,) = await leanbe.deliveries.wait_for(Filter(), timeout_seconds=30)
            assert found.delivered
            await acting
            with pytest.raises(WaitTimedOut):
                await leanbe.deliveries.wait_for(Filter(), count=2, timeout_seconds=0)
            await leanbe.wait_until_idle(timeout_seconds=30)

    asyncio.run(test())


def test_a_worker_has_a_loop_of_its_own(leanbe: Leanbe) -> None:
    async def test() -> None:
        with pytest.raises(Conflict, match="event loop"):
            leanbe.work(drain=True)

    asyncio.run(test())


def test_under_trio_the_app_runs_beside_it_and_the_same_words_are_awaited() -> None:
    async def test() -> None:
        async with Leanbe() as leanbe:
            app = transport_for(fastapi_app(), answer_seconds=PATIENCE_SECONDS)
            product = leanbe.products.create("Acme", webhook=app, path="/ok")
            assert (await leanbe.trigger("idea.created")).delivered
            product.ideas.create(title="Dark mode")
            assert len(await leanbe.deliver()) == 1
            await leanbe.settle()

    trio.run(test)

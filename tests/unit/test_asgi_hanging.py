"""An ASGI app in this process that does not answer in time."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leanbe_emitter.delivery.in_process.blocking_code import start_threads_as_daemons
from leanbe_emitter.delivery.in_process.stack_location import is_user_code
from leanbe_emitter.delivery.network.transport import Answer, Unknown
from tests.support.event_loops import run_in_loop, run_in_virtual_time
from tests.support.in_process_apps import (
    END,
    SOON,
    START,
    URL,
    Message,
    Receive,
    Send,
    app_sending,
    block_thread,
    body,
    open_transport,
    start,
    wait_for_ever,
)
from tests.support.network_sender import post
from tests.support.waiting import PATIENCE_SECONDS


@run_in_virtual_time
async def test_a_hanging_app_is_unknown_at_the_deadline_and_its_line_is_named() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(start(200), body(b"abc", more=True))(scope, receive, send)
        await wait_for_ever()

    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(Unknown) as caught:
            await transport.send(post(URL))
    assert caught.value.reason.startswith(
        f"no complete answer within {PATIENCE_SECONDS:g} s: the app hangs at "
    )
    assert (
        "in wait_for_ever: await asyncio.get_running_loop().create_future()" in caught.value.reason
    )
    assert caught.value.answer == Answer(status=200, reason="OK", body=b"abc", body_length=3)


@run_in_virtual_time
async def test_a_line_in_a_task_of_the_app_is_named_too() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        await asyncio.create_task(wait_for_ever())

    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(
            Unknown, match=r"in wait_for_ever: .* and .* in app: await asyncio\.create_t"
        ):
            await transport.send(post(URL))


@run_in_virtual_time
async def test_a_line_in_a_thread_that_the_app_waits_for_is_named_too() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        await asyncio.to_thread(let_go.wait)

    let_go = threading.Event()
    async with open_transport(app, lifespan=False) as transport:
        try:
            with pytest.raises(Unknown, match="to_thread"):
                await transport.send(post(URL))
        finally:
            let_go.set()


@run_in_virtual_time
async def test_an_app_that_was_given_up_sees_the_disconnect_and_goes_on() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope
        seen.extend([await receive(), await receive()])
        await send(START)
        await send(END)
        seen.append(await receive())

    seen = list[Message]()
    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(Unknown):
            await transport.send(post(URL))
        await transport.settle()
        assert transport.errors.take() == []
    assert [each["type"] for each in seen] == ["http.request", *["http.disconnect"] * 2]


@run_in_virtual_time
async def test_the_webhooks_own_timeout_holds_if_it_is_shorter() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        await wait_for_ever()

    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(Unknown, match="within 3 s"):
            await transport.send(post(URL, timeout_seconds=3))


def waiting_for_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def spinning() -> None:
    while True:
        pass


def swallowing() -> None:
    try:
        time.sleep(20)
    except Exception:  # noqa: BLE001 - what careless apps do
        block_thread()


@pytest.mark.parametrize("block", [block_thread, waiting_for_a_lock, spinning, swallowing])
@run_in_loop
async def test_a_blocking_app_is_interrupted_at_the_deadline_and_its_line_is_named(
    block: Callable[[], None],
) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        block()

    async with open_transport(app, lifespan=False, answer_seconds=SOON) as transport:
        with pytest.raises(Unknown, match=f"blocks at .* in {block.__name__}: "):
            await transport.send(post(URL))
        assert transport.errors.take() == []


class LookedAtSlowly(dict[str, Any]):
    """The names of a module at which whoever looks is held up, as on a machine with other work."""

    def get(self, *arguments: Any) -> Any:
        time.sleep(0.3)
        return super().get(*arguments)


@run_in_loop
async def test_a_line_is_named_though_the_next_signal_comes_while_it_is_looked_for() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        names["block"]()

    names = LookedAtSlowly(block=block_thread)
    exec("def block(sleeping=block): sleeping()", names)  # noqa: S102 - to give it these names
    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(Unknown, match=r"blocks at .* in block_thread: "):
            await transport.send(post(URL, timeout_seconds=SOON))


@run_in_loop
async def test_an_app_that_blocks_after_its_answer_has_answered_and_the_line_is_kept() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(START, END)(scope, receive, send)
        block_thread()

    async with open_transport(app, lifespan=False, answer_seconds=SOON) as transport:
        answer = await transport.send(post(URL))
        assert answer.status == 204
        assert "after its answer the app blocked at" in answer.remark
        (kept,) = transport.errors.take()
        assert isinstance(kept.error, TimeoutError)
        assert "in block_thread: time.sleep(20)" in str(kept.error)


@run_in_loop
async def test_after_a_blocking_call_the_next_one_is_answered() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["path"] == "/block":
            block_thread()
        await app_sending(START, END)(scope, receive, send)

    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(Unknown):
            await transport.send(post("http://testserver/block", timeout_seconds=SOON))
        assert (await transport.send(post(URL))).status == 204


@run_in_loop
async def test_a_signal_of_somebody_elses_interrupts_nothing_and_reaches_its_handler() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        os.kill(os.getpid(), signal.SIGURG)
        await app_sending(START, END)(scope, receive, send)

    came = list[int]()
    earlier = signal.signal(signal.SIGURG, lambda number, _: came.append(number))
    try:
        async with open_transport(app, lifespan=False) as transport:
            assert (await transport.send(post(URL))).status == 204
    finally:
        signal.signal(signal.SIGURG, earlier)
    assert came == [signal.SIGURG]


#: At its first call a framework loads what it needs, which may take most of the time that it has.
ENDS = """
import threading

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from leanbe_emitter import Leanbe


def receive(request: object) -> Response:
    may_go_on.wait()
    return Response()


app = Starlette(routes=[Route("/", receive, methods=["POST"])])
may_go_on = threading.Event()
with Leanbe() as leanbe:
    may_go_on.set()
    leanbe.trigger("idea.created", to=app)
    may_go_on.clear()
    print(leanbe.trigger("idea.created", to=app).attempts[0].error)
"""


def test_a_thread_that_blocks_for_ever_does_not_hold_up_the_end_of_the_process(
    tmp_path: Path,
) -> None:
    program = tmp_path / "ends.py"
    program.write_text(ENDS)
    ended = subprocess.run(
        [sys.executable, program], stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    assert f"the app hangs at {program}:12 in receive" in ended.stdout


def test_code_that_was_generated_is_nobodys_own() -> None:
    names = dict[str, Any]()
    # As dataclasses compile it, and SQLAlchemy much like it.
    exec(compile("import sys; frame = sys._getframe()", "<string>", "exec"), names)  # noqa: S102
    assert not is_user_code(names["frame"])
    assert is_user_code(sys._getframe())


def test_after_overlapping_calls_new_threads_are_waited_for_again() -> None:
    first, second = start_threads_as_daemons(), start_threads_as_daemons()
    with first:
        second.__enter__()
    inside = threading.Thread(target=int)
    second.__exit__(None, None, None)
    assert inside.daemon
    assert not threading.Thread(target=int).daemon


def test_a_daemons_own_threads_stay_daemons() -> None:
    seen = list[bool]()

    def call() -> None:
        with start_threads_as_daemons():
            pass
        seen.append(threading.current_thread().daemon)

    daemon = threading.Thread(target=call, daemon=True)
    daemon.start()
    daemon.join()
    assert seen == [True]

"""Real ASGI frameworks as receivers in this process."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from leanbe_emitter.delivery.network.transport import Unknown
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.framework_apps import (
    STEPS,
    django_asgi_app,
    fastapi_app,
    litestar_app,
    starlette_app,
)
from tests.support.in_process_apps import SOON, described_errors, open_transport
from tests.support.network_sender import BODY, post

WITHOUT_THREADS = [fastapi_app, starlette_app, litestar_app]
FRAMEWORKS = [*WITHOUT_THREADS, django_asgi_app]
WITH_LIFESPAN = {"fastapi": fastapi_app, "starlette": starlette_app, "litestar": litestar_app}

HANGS = r"hangs at .* in wait_for_ever: await asyncio"


@pytest.mark.parametrize("make", FRAMEWORKS)
@run_in_loop
async def test_the_app_gets_the_body_and_answers(make: Callable[[], Any]) -> None:
    async with open_transport(make()) as transport:
        answer = await transport.send(post("http://testserver/ok"))
        assert transport.errors.take() == []
    assert (answer.status, answer.reason) == (200, "OK")
    assert json.loads(answer.body) == {"length": len(BODY)}
    assert answer.header("content-type") == "application/json"


@pytest.mark.parametrize("make", FRAMEWORKS)
@run_in_loop
async def test_an_error_in_the_app_is_a_500_and_kept(make: Callable[[], Any]) -> None:
    async with open_transport(make()) as transport:
        answer = await transport.send(post("http://testserver/raise"))
        assert answer.status == 500
        assert answer.remark.startswith("the app raised ValueError: no such idea (at tests")
        assert described_errors(transport.errors.take()) == ["ValueError: no such idea (request)"]


@pytest.mark.parametrize("make", FRAMEWORKS)
@run_in_loop
async def test_a_refusal_is_no_error(make: Callable[[], Any]) -> None:
    async with open_transport(make()) as transport:
        answer = await transport.send(post("http://testserver/refuse"))
        assert (answer.status, answer.remark) == (401, "")
        assert transport.errors.take() == []


@pytest.mark.parametrize("make", WITHOUT_THREADS)
@run_in_virtual_time
async def test_a_hanging_endpoint_is_unknown_and_its_line_named(make: Callable[[], Any]) -> None:
    async with open_transport(make(), answer_seconds=10) as transport:
        with takes_virtual_seconds(10), pytest.raises(Unknown, match=HANGS):
            await transport.send(post("http://testserver/hang"))


@run_in_loop
async def test_a_hanging_view_of_django_is_unknown_and_its_line_named() -> None:
    async with open_transport(django_asgi_app()) as transport:
        await transport.send(post("http://testserver/ok"))
        with pytest.raises(Unknown, match=HANGS):
            await transport.send(post("http://testserver/hang", timeout_seconds=1))


@pytest.mark.parametrize("make", WITHOUT_THREADS)
@run_in_loop
async def test_a_blocking_endpoint_is_unknown_and_its_line_named(make: Callable[[], Any]) -> None:
    async with open_transport(make()) as transport:
        await transport.send(post("http://testserver/ok"))
        with pytest.raises(Unknown, match=r"blocks at .*: time\.sleep\(20\)"):
            await transport.send(post("http://testserver/block", timeout_seconds=SOON))
        assert transport.errors.take() == []


@pytest.mark.parametrize("name", WITH_LIFESPAN)
@run_in_loop
async def test_the_lifespan_runs_once(name: str) -> None:
    async with open_transport(WITH_LIFESPAN[name]()) as transport:
        for _ in range(2):
            await transport.send(post("http://testserver/ok"))
        assert STEPS[name] == ["up"]
    assert STEPS[name] == ["up", "down"]

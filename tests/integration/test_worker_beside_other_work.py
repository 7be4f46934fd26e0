"""A worker beside other work of an event loop: it begins and ends with a block."""

import asyncio

import pytest

from leanbe_emitter import Leanbe
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import HoldingTransport, ScriptedTransport
from tests.support.waiting import async_wait_until

URL = "http://127.0.0.1:9/hooks"


@run_in_loop
async def test_an_event_recorded_meanwhile_is_delivered_while_the_loop_goes_on() -> None:
    async with Leanbe(transport=ScriptedTransport()) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        async with leanbe.working() as task:
            await asyncio.to_thread(product.ideas.create, title="Dark mode")
            await async_wait_until(lambda: leanbe.deliveries.last().delivered, "it is delivered")
            assert not task.done()
        assert task.done()


@run_in_loop
async def test_the_end_of_the_block_lets_finish_what_is_in_flight_and_claims_no_more() -> None:
    transport = HoldingTransport()
    async with Leanbe(transport=transport) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        async with leanbe.working():
            product.ideas.create(title="In flight")
            await transport.sent(1)
            asyncio.get_running_loop().call_soon(transport.let_go)
        product.ideas.create(title="Too late")
        assert [each.status for each in leanbe.deliveries.list()] == ["pending", "delivered"]


@run_in_loop
async def test_the_blocks_error_is_raised_after_the_worker_has_ended() -> None:
    async with Leanbe(transport=ScriptedTransport()) as leanbe:
        with pytest.raises(ValueError, match="our own"):
            async with leanbe.working() as task:
                raise ValueError("our own")
        assert task.done()

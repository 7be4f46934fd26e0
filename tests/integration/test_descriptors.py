"""A process without descriptors: that is no fault of a receiver, and costs no attempt."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from leanbe_emitter import Leanbe, OutOfDescriptors
from leanbe_emitter.delivery.worker import worker as worker_module
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.storage.schema.states import DeliveryState
from tests.support.engine_setup import Bench
from tests.support.event_loops import run_in_loop
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.network_sender import open_sender, post
from tests.support.scripted_transport import ScriptedTransport
from tests.support.workers import new_worker

SHORTAGE = OutOfDescriptors("This process can open no further connection.", hint="See ulimit -n.")


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Let this process open nothing until the block ends."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


async def resolve_badly(_host: str, _port: int) -> tuple[str, ...]:
    """Fail as the system's resolver does, which does not say why."""
    raise OSError("Temporary failure in name resolution")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "http://a.test/"]
)
@run_in_loop
async def test_a_shortage_of_descriptors_is_not_taken_for_an_unreachable_receiver(url: str) -> None:
    with LoopbackReceiver.listening() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        async with open_sender(resolve=resolve_badly) as transport:
            with no_more_descriptors(), pytest.raises(OutOfDescriptors):
                await transport.send(post(url.format(port=port)))
            if url.startswith("http://127"):
                assert (await transport.send(post(url.format(port=port)))).status == 204


@run_in_loop
async def test_a_worker_hands_back_what_it_cannot_begin_and_counts_no_attempt(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "SHORTAGE_SECONDS", 0.01)
    counters = Counters()
    deliveries = bench.enqueue(bench.product(), 3)
    transport = ScriptedTransport(*[SHORTAGE] * 4)
    await new_worker(bench, transport, counters=counters).run(drain=True)
    assert {bench.state(each) for each in deliveries} == {DeliveryState.DELIVERED}
    assert bench.rows("attempts") == 3
    assert counters.metrics().deliveries_handed_back_total == 4
    told = [each for each in caplog.records if "can open no connection" in each.getMessage()]
    assert len(told) == 1


def test_a_call_that_delivers_says_so_and_the_delivery_stays_due() -> None:
    with Leanbe(transport=ScriptedTransport(SHORTAGE)) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:9/hooks")
        with pytest.raises(OutOfDescriptors):
            leanbe.trigger("idea.created")
        (attempt,) = leanbe.deliver()
        assert (attempt.number, attempt.outcome) == (1, "delivered")

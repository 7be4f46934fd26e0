"""Routing of requests: to a receiver in this process, or over the network."""

from functools import partial
from typing import TYPE_CHECKING

from leanbe_emitter.delivery.attempt.fault_transport import needs_wire
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.network.transport import (
    Answer,
    AnswerLimits,
    OutgoingRequest,
    Transport,
    WireFault,
    WireTransport,
)
from leanbe_emitter.library.runtime.loop_runner import LoopRunner
from leanbe_emitter.settings import Settings

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport


class RoutingTransport:
    """Sends requests to receivers in this process by URL, and all others over the network.

    Args:
        network: the transport of all other requests.
        receivers: the receivers in this process.
        loop_runner: runs work that needs an event loop.
    """

    def __init__(
        self, network: Transport, *, receivers: ReceiverRegistry, loop_runner: LoopRunner
    ) -> None:
        self._network = network
        self._receivers = receivers
        self._loop_runner = loop_runner

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer."""
        self._loop_runner.interrupts.check()
        receiver = self._receivers.at(request.url)
        if receiver is not None and not receiver.needs_loop:
            return await receiver.send(request)
        return await self._loop_runner.enter(partial((receiver or self._network).send, request))

    async def send_with_fault(self, request: OutgoingRequest, fault: WireFault) -> Answer:
        """Send a request over the network with a fault."""
        self._loop_runner.interrupts.check()
        wire = self._network
        if self._receivers.at(request.url) is not None or not isinstance(wire, WireTransport):
            raise needs_wire(request.url)
        return await self._loop_runner.enter(partial(wire.send_with_fault, request, fault))

    async def aclose(self) -> None:
        """Close the network's connections, and stop the receivers."""
        await self._network.aclose()
        await self._receivers.aclose()


def as_transport(
    transport: "Transport | AsyncBaseTransport | None", *, settings: Settings
) -> Transport | None:
    """Return the transport; httpx is imported only for an ``AsyncBaseTransport``."""
    if transport is None or hasattr(transport, "send"):
        return transport
    from leanbe_emitter.delivery.network.httpx_transport import HttpxTransport  # noqa: PLC0415 - slow

    limits = AnswerLimits.of(settings)
    return HttpxTransport(transport, rules=settings.target_rules, limits=limits)

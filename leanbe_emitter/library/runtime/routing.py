"""Where a request goes: to a receiver in this process, or over the network."""

from functools import partial

from leanbe_emitter.delivery.attempt.fault_transport import needs_wire
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.network.transport import (
    Answer,
    OutgoingRequest,
    Transport,
    WireFault,
    WireTransport,
)
from leanbe_emitter.library.runtime.loop_runner import LoopRunner


class RoutingTransport:
    """Sends to receivers of this process what is addressed to them, and the rest elsewhere.

    Args:
        network: what carries the rest.
        receivers: the receivers.
        home: the event loop for what needs one where none runs.
    """

    def __init__(
        self, network: Transport, *, receivers: ReceiverRegistry, home: LoopRunner
    ) -> None:
        self._network = network
        self._receivers = receivers
        self._home = home

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer.

        Raises:
            Unreachable: no byte of the request went out, or the receiver did not start.
            Unknown: it went out, and no complete answer came back.
        """
        self._home.interrupts.check()
        receiver = self._receivers.at(request.url)
        if receiver is not None and not receiver.needs_loop:
            return await receiver.send(request)
        return await self._home.enter(partial((receiver or self._network).send, request))

    async def send_with_fault(self, request: OutgoingRequest, fault: WireFault) -> Answer:
        """Send a request over the network with this fault.

        Raises:
            FaultNeedsWire: its receiver is in this process, or is sent to by a user's transport.
            Unreachable: no byte of the request went out.
            Unknown: it went out, and no complete answer came back.
        """
        self._home.interrupts.check()
        wire = self._network
        if self._receivers.at(request.url) is not None or not isinstance(wire, WireTransport):
            raise needs_wire(request.url)
        return await self._home.enter(partial(wire.send_with_fault, request, fault))

    async def aclose(self) -> None:
        """Close the network's connections, and stop the receivers."""
        await self._network.aclose()
        await self._receivers.aclose()

"""Transports that commit a fault: each wraps another transport and alters one exchange.

Faults on the wire need ``send_with_fault``, which only our own sender has. A simulated failure of
the receiver comes at once: no time passes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import NoReturn

from leanbe_emitter.delivery.network.transport import (
    Answer,
    OutgoingRequest,
    Transport,
    Unknown,
    Unreachable,
    WireFault,
    WireTransport,
)
from leanbe_emitter.errors import FaultNeedsWire
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.target_rules import Target
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.faults.catalogue import FaultSpec


def with_fault(fault: FaultSpec, transport: Transport, *, wire: Transport) -> Transport:
    """Return a transport that commits a fault on the next request.

    Args:
        fault: the fault.
        transport: sends requests without a fault.
        wire: sends single requests over the network, below a transport that follows redirects.
    """
    if (how := fault.how("receiver_fails")) is not None:
        return _FaultTransport(transport, partial(_failed_uncalled, how))
    if fault.how("not_delivered") is not None:
        return _FaultTransport(transport, _not_sent)
    if fault.needs_wire:
        transport = _FaultTransport(wire, partial(_on_the_wire, wire, _wire_fault(fault)))
    if (how := fault.how("receiver_fails_after_call")) is not None:
        transport = _FaultTransport(transport, partial(_failed_after_call, transport, how))
    return transport


def state_under(fault: FaultSpec, state: DeliveryState) -> DeliveryState:
    """Return the state of a delivery under a fault, given its state without the fault."""
    if fault.how("not_delivered") is not None:
        return DeliveryState.CANCELLED
    # Only the first attempt of ``delivered_twice`` has an empty value.
    return DeliveryState.READY if fault.how("delivered_twice") == "" else state


class _FaultTransport:
    """Transport that replaces the ``send`` of another one."""

    def __init__(
        self, transport: Transport, send: Callable[[OutgoingRequest], Awaitable[Answer]]
    ) -> None:
        self._transport = transport
        self._send = send

    async def send(self, request: OutgoingRequest) -> Answer:
        return await self._send(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _failed_uncalled(how: str, request: OutgoingRequest) -> Answer:
    """Fail without a call to the receiver."""
    return _failed(how, request, remark="a fault: the receiver was not called")


async def _failed_after_call(transport: Transport, how: str, request: OutgoingRequest) -> Answer:
    """Call the receiver, and replace its answer by a failure."""
    answer = await transport.send(request)
    remark = f"a fault: the receiver answered {answer.status}"
    return _failed(how, request, remark=remark, answer=answer)


async def _on_the_wire(wire: Transport, fault: WireFault, request: OutgoingRequest) -> Answer:
    """Send over the network with this fault."""
    if not isinstance(wire, WireTransport):
        raise needs_wire(request.url)
    return await wire.send_with_fault(request, fault)


async def _not_sent(_: OutgoingRequest) -> NoReturn:
    """Send nothing, as if the request had been lost on our side."""
    raise Unreachable("it was not sent (a fault)")


def needs_wire(where: str) -> FaultNeedsWire:
    """Return the error for a fault on the wire whose receiver is not reached over a network."""
    return FaultNeedsWire(
        f"A fault on the wire is impossible for {where}: we do not send to it over a network.",
        hint="slow_body and connection_closed need a webhook_url that our own sender posts to.",
    )


def _wire_fault(fault: FaultSpec) -> WireFault:
    seconds = fault.how("slow_body")
    return WireFault(
        body_seconds=parse_duration(seconds) if seconds else 0.0,
        hang_up=fault.how("connection_closed") or "",
    )


def _failed(
    how: str, request: OutgoingRequest, *, remark: str, answer: Answer | None = None
) -> Answer:
    """Return the answer of a failing receiver, or raise the reason why there is none."""
    place = Target.of(request.url).authority
    if how == "refused":
        raise Unreachable(f"connection refused by {place} ({remark})")
    if how == "reset":
        raise Unknown(f"the connection to {place} was reset before it answered ({remark})")
    late = f"no complete answer within {request.timeout_seconds:g} s ({remark})"
    if how == "slow":
        raise Unknown(late, answer=_first_half(answer))
    if how == "timeout":
        raise Unknown(late)
    return _answering(int(how.removeprefix("status:")), remark)


def _first_half(answer: Answer | None) -> Answer:
    """Return the first half of an answer, as of one that was cut off."""
    if answer is None:
        return Answer(status=HTTPStatus.OK, reason=HTTPStatus.OK.phrase)
    half = answer.body[: len(answer.body) // 2]
    return replace(answer, body=half, body_length=len(half))


def _answering(status: int, remark: str) -> Answer:
    known = {each.value: each.phrase for each in HTTPStatus}
    return Answer(status=status, reason=known.get(status, ""), remark=remark)

"""The context of a run: what the groups of checks share, and their common procedures.

The checks of a group are performed together: one function sends their requests and judges each.
Invariant: a judgement counts only when a valid request after it is accepted: the plain control,
sent again, or any other. Until then it is unconfirmed. If the control is refused, everything
unconfirmed proves nothing, because the receiver may refuse all requests by now.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from leanbe_emitter.conformance.check import Check, RequestCheck, judge_valid
from leanbe_emitter.conformance.client import Client, Exchange
from leanbe_emitter.conformance.events import USUAL_EVENT, Event, Events
from leanbe_emitter.conformance.observation import Effects, Movement
from leanbe_emitter.conformance.report import Judgement, Level, Result, Verdict, inconclusive
from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest, Sealer
from leanbe_emitter.conformance.started_receiver import StartedReceiver
from leanbe_emitter.wire.stringify import JSON

#: The control is sent again after so many requests that were not accepted.
_REQUESTS_BETWEEN_CONTROLS = 10


class ControlRefused(Exception):
    """The receiver refuses the plain control, which it accepted before."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self.exchange = exchange


@dataclass(kw_only=True)
class Effective:
    """An event that has an effect, and by what one delivery moves the observation."""

    name: str
    single: Movement


@dataclass(kw_only=True)
class RunContext:
    """The state that the groups of checks share.

    Attributes:
        client: sends requests.
        events: makes fresh events.
        sealer: makes requests of events.
        secret: the receiver's secret.
        deadline_seconds: how long the slowest answer may take.
        effects: watches the observation; None without one, or if it changes by itself.
        effective: the events that are known to have an effect; empty if none is.
        counts_deliveries: whether the observation counts deliveries; None: not known yet.
        why_unobserved: why nothing can be said about effects.
        process: the receiver, if the run started it.
        results: the confirmed results.
        valid: the exchanges of valid requests.
        refused: the exchanges of requests that should be refused.
        wrongly_refused: exchanges of valid requests that were not accepted, by check.
    """

    client: Client
    events: Events
    sealer: Sealer
    secret: str = field(repr=False)
    deadline_seconds: float
    effects: Effects | None = None
    effective: tuple[Effective, ...] = ()
    counts_deliveries: bool | None = None
    why_unobserved: str = "nothing shows what the receiver stored: pass --observe"
    process: StartedReceiver | None = None
    results: list[Result] = field(default_factory=list)
    valid: list[Exchange] = field(default_factory=list)
    refused: list[Exchange] = field(default_factory=list)
    wrongly_refused: dict[str, Exchange] = field(default_factory=dict)
    _unconfirmed: list[tuple[Check, Judgement]] = field(default_factory=list)
    _count_at_control: int = 0
    _count_at_rest: int = -1

    @property
    def factory(self) -> RequestFactory:
        """The parts of single requests."""
        event = self.effective[0].name if self.effective else USUAL_EVENT
        return RequestFactory(events=self.events, sealer=self.sealer, event=event)

    @property
    def shows_effects(self) -> bool:
        """Whether the observation shows the effect of an event."""
        return self.effects is not None and bool(self.effective)

    async def send(self, event: Event) -> Exchange:
        """Send an event, rightly signed."""
        return await self.send_valid(self.sealer.request(event))

    async def send_valid(self, request: SampleRequest) -> Exchange:
        """Send a request that the receiver should accept; if it does, it stands for a control."""
        exchange = await self.client.send(request)
        self.valid.append(exchange)
        if exchange.is_accepted:
            self._count_at_control = self.client.count
            self.confirm()
        return exchange

    async def send_forgery(self, request: SampleRequest) -> Exchange:
        """Send a request that the receiver should refuse."""
        exchange = await self.client.send(request)
        self.refused.append(exchange)
        return exchange

    async def at_rest(self) -> JSON:
        """Return what the receiver stored, when it does not change any more."""
        if self.effects is None:
            return None
        is_known = self._count_at_rest == self.client.count
        before, value = self.effects.value, await self.effects.read()
        if not is_known or value != before:
            value = await self.effects.at_rest()
        self._count_at_rest = self.client.count
        return value

    def judge(self, check: Check, judgement: Judgement) -> None:
        """Take the judgement of a check; the next control confirms it."""
        self._unconfirmed.append((check, judgement))

    def judgement_of_refused(self, exchange: Exchange) -> Judgement:
        """Return the judgement of a valid event that a longer check needed, and that was refused.

        If the receiver refuses this event in any case, that is told once, by the control.
        """
        event = exchange.request.event
        if f"control.event[{event}]" in self.wrongly_refused:
            return inconclusive(f"{event} is refused in any case")
        return judge_valid(exchange)

    def judge_valid(self, check: Check, exchange: Exchange) -> None:
        """Judge a check whose request the receiver should accept."""
        if not exchange.is_accepted:
            self.wrongly_refused[check.id] = exchange
        self.judge(check, judge_valid(exchange))
        if exchange.is_accepted:
            self.confirm()

    async def control_if_due(self) -> None:
        """Send the control again after ten requests of which the receiver accepted none.

        Raises:
            ControlRefused: the receiver refuses it.
        """
        if self.client.count - self._count_at_control >= _REQUESTS_BETWEEN_CONTROLS:
            await self.control()

    async def control(self) -> None:
        """Send the control again, and confirm what came since the last one.

        Raises:
            ControlRefused: the receiver refuses it.
        """
        if self.client.count > self._count_at_control:
            exchange = await self.send(self.events.plain())
            if not exchange.is_accepted:
                raise ControlRefused(exchange)
        self.confirm()

    def confirm(self) -> None:
        """Make results of what is unconfirmed."""
        self.results += [_result(check, judgement) for check, judgement in self._unconfirmed]
        self._unconfirmed.clear()

    def refute(self, reason: str) -> None:
        """Make inconclusive results of what is unconfirmed."""
        judgement = inconclusive(reason)
        self._unconfirmed = [(check, judgement) for check, _ in self._unconfirmed]
        self.confirm()

    def leave_out(self, checks: Sequence[Check], verdict: Verdict, reason: str) -> None:
        """Make results of those of the checks that have none yet."""
        judged = {check.id for check, _ in self._unconfirmed} | {each.id for each in self.results}
        judgement = Judgement(verdict=verdict, got=reason)
        self.results += [_result(check, judgement) for check in checks if check.id not in judged]


def _result(check: Check, judgement: Judgement) -> Result:
    verdict = judgement.verdict
    is_graded = check.level is not Level.TOLD
    if not is_graded and verdict not in {Verdict.INCONCLUSIVE, Verdict.SKIPPED}:
        verdict = Verdict.TOLD
    result = Result(
        id=check.id,
        level=check.level,
        verdict=verdict,
        sent=check.sends,
        expected=check.expects,
        got=judgement.got,
        why=check.why,
    )
    if not result.is_finding:
        return result
    return replace(result, fix=dict(check.fix), curl=judgement.curl)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Checks that are performed together.

    Attributes:
        checks: the checks, in the order of the report.
        procedure: sends the requests of the wanted checks, and judges each check.
    """

    checks: Sequence[Check]
    procedure: Callable[[RunContext, Sequence[Check]], Awaitable[None]]


async def confirmed_failure(
    procedure: Callable[[RunContext], Awaitable[Judgement]], context: RunContext
) -> Judgement:
    """Perform a check; if it fails, perform it again, and return a failure only if both fail."""
    first = await procedure(context)
    if first.verdict is not Verdict.FAIL:
        return first
    second = await procedure(context)
    if second.verdict is Verdict.FAIL:
        return second
    return replace(second, verdict=Verdict.INCONCLUSIVE, got=f"{first.got}; then {second.got}")


def confirmed(
    perform: Callable[[RunContext], Awaitable[Judgement]],
) -> Callable[[RunContext, Sequence[Check]], Awaitable[None]]:
    """Return the procedure of a group whose checks fail only if they fail twice."""

    async def procedure(context: RunContext, checks: Sequence[Check]) -> None:
        for check in checks:
            context.judge(check, await confirmed_failure(perform, context))

    return procedure


async def send_valid_requests(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the request of each check."""
    for check in checks:
        assert isinstance(check, RequestCheck)  # noqa: S101 - the group has no others
        await context.control_if_due()
        exchange = await context.send_valid(check.make(context.factory))
        context.judge_valid(check, exchange)

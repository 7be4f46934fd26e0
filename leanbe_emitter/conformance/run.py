"""A run: the groups of checks, one after the other, against one receiver.

The gate comes first: if the plainest event is refused, nothing else is sent. The control comes back
after every ten requests that were not accepted, and at the end.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from leanbe_emitter.clock import Clock
from leanbe_emitter.conformance.check import Check, Need
from leanbe_emitter.conformance.checks.all_checks import CHECKS, GATE, GROUPS
from leanbe_emitter.conformance.checks.control import find_effective, learn
from leanbe_emitter.conformance.client import Client, Endpoint, Exchange, hidden_words
from leanbe_emitter.conformance.events import Events
from leanbe_emitter.conformance.observation import (
    Effects,
    NeverQuiet,
    ObservationFailed,
    Observe,
    Timing,
)
from leanbe_emitter.conformance.refusal_causes import (
    NOTHING_VERIFIES,
    Cause,
    causes,
    refusal_in_words,
)
from leanbe_emitter.conformance.report import Diagnosis, Report, Result, Verdict
from leanbe_emitter.conformance.run_context import ControlRefused, Group, RunContext
from leanbe_emitter.conformance.sample_requests import Sealer
from leanbe_emitter.conformance.started_receiver import StartedReceiver
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.errors import ReceiverUnavailable
from leanbe_emitter.header_rules import MASK
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet

#: Finds the mistake of a receiver that refuses the plain control, given that exchange.
Diagnose = Callable[[Exchange], Awaitable[Diagnosis | None]]

_CHANGES_BY_ITSELF = "the observation changes by itself"
_UNREAD = "the observation could not be read any more"
#: The groups that look at effects.
_OBSERVED = frozenset({"signature", "http", "idempotency", "order", "durability"})
_ALL_FORGERIES = "It does not verify at all: every forgery passes."


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The subject of a run, and its rules.

    Attributes:
        endpoint: where the requests go.
        secret: the receiver's secret.
        checks: the checks to make.
        events: the events that idempotency is checked on; empty: the first that has an effect.
        assumptions: they decide how events look and are signed.
        deadline_seconds: how long the slowest answer may take.
        is_networked: whether the receiver is reached over a network.
        seed: shown in the report.
        language: the receiver's language; None if it is not known.
    """

    endpoint: Endpoint
    secret: str = field(repr=False)
    checks: Sequence[Check] = CHECKS
    events: Sequence[str] = ()
    assumptions: AssumptionSet = ARTICLE
    deadline_seconds: float = 5.0
    is_networked: bool = True
    seed: int = 0
    language: str | None = None


class Run:
    """One run of checks.

    Args:
        plan: what to check.
        transport: sends the requests.
        clock: the source of time.
        ids: the source of ids.
        timing: how to wait.
        observe: reads what the receiver stored; None if nothing shows it.
        process: the receiver, if the run may kill it; it must have been started.
        diagnose: finds the mistake of a receiver that refuses the plain control.
    """

    def __init__(  # noqa: PLR0913 - everything comes from outside
        self,
        plan: Plan,
        *,
        transport: Transport,
        clock: Clock,
        ids: Ids,
        timing: Timing,
        observe: Observe | None = None,
        process: StartedReceiver | None = None,
        diagnose: Diagnose | None = None,
    ) -> None:
        self._plan = plan
        self._timing = timing
        self._observe = observe
        self._diagnose = diagnose
        self._diagnosis: Diagnosis | None = None
        self._hidden = hidden_words(plan.secret, plan.endpoint.headers)
        self._context = RunContext(
            client=Client(transport, plan.endpoint, stopwatch=timing.stopwatch),
            events=Events(clock=clock, ids=ids, assumptions=plan.assumptions),
            sealer=Sealer(plan.secret, plan.assumptions),
            secret=plan.secret,
            deadline_seconds=plan.deadline_seconds,
            process=process,
        )

    async def run(self) -> Report:
        """Make the checks and return the report.

        Raises:
            ObservationFailed: what the receiver stored cannot be read; nothing was sent.
            ReceiverUnavailable: nobody answers at the URL.
        """
        begun = self._timing.stopwatch()
        self._skip_impossible()
        await self._begin_observing()
        try:
            await self._perform_all()
        except ControlRefused as refused:
            await self._stopped(refused.exchange)
        results = self._explained(self._context.results)
        return Report(
            url=self._plan.endpoint.url,
            seed=self._plan.seed,
            requests=self._context.client.count
            + (0 if self._diagnosis is None else self._diagnosis.requests),
            seconds=self._timing.stopwatch() - begun,
            results=sorted(map(self._masked, results), key=lambda each: _POSITIONS[each.id]),
            diagnosis=self._diagnosis
            and replace(self._diagnosis, what=self._without_secret(self._diagnosis.what)),
        )

    def _masked(self, result: Result) -> Result:
        return replace(
            result, got=self._without_secret(result.got), curl=self._without_secret(result.curl)
        )

    def _without_secret(self, text: str) -> str:
        """Return text, perhaps of an answer, without the secret and the values of headers."""
        for word in self._hidden:
            text = text.replace(word, MASK)
        return text

    def _skip_impossible(self) -> None:
        """Leave out the checks that need what this run does not have."""
        for check in self._plan.checks:
            if check.needs and (reason := self._missing(check)):
                self._context.leave_out([check], Verdict.SKIPPED, reason)

    def _missing(self, check: Check) -> str:
        if Need.NETWORK in check.needs and not self._plan.is_networked:
            return "it needs a network"
        if Need.START in check.needs and self._context.process is None:
            return "it needs --start"
        if Need.OBSERVATION in check.needs and self._observe is None:
            return "it needs --observe"
        return ""

    async def _begin_observing(self) -> None:
        """Read twice at rest; if the readings differ, nothing can be said about effects."""
        if self._observe is None:
            return
        effects = Effects(self._observe, self._timing)
        first = await effects.read()
        await self._timing.pause(self._timing.settle_seconds)
        if await effects.read() == first:
            self._context.effects = effects
        else:
            self._context.why_unobserved = _CHANGES_BY_ITSELF

    async def _perform_all(self) -> None:
        gate, *others = GROUPS
        await self._perform(gate, self._wanted(gate))
        await self._learn_effects()
        for group in others:
            if wanted := self._wanted(group):
                await self._context.control_if_due()
                await self._perform(group, wanted)
        await self._context.control()

    async def _perform(self, group: Group, wanted: Sequence[Check]) -> None:
        try:
            await group.procedure(self._context, wanted)
        except NeverQuiet:
            self._stop_observing(_CHANGES_BY_ITSELF)
        except ObservationFailed as failed:
            self._stop_observing(f"{_UNREAD}: {failed.message}")
        except ReceiverUnavailable as unavailable:
            self._context.leave_out(wanted, Verdict.ERROR, unavailable.message)
        self._context.leave_out(wanted, Verdict.INCONCLUSIVE, self._context.why_unobserved)

    def _stop_observing(self, why: str) -> None:
        self._context.effects = None
        self._context.effective = ()
        self._context.why_unobserved = why

    async def _learn_effects(self) -> None:
        """Find the events that effects are looked for with."""
        context = self._context
        is_needed = any(check.id.partition(".")[0] in _OBSERVED for check in self._left())
        if context.effects is None or not is_needed:
            return
        try:
            if self._plan.events:
                context.effective = ()
            for name in self._plan.events:
                await context.send(context.events.plain(name))
                await learn(context, name)
            if not self._plan.events:
                await find_effective(context)
        except NeverQuiet:
            self._stop_observing(_CHANGES_BY_ITSELF)
        except ObservationFailed as failed:
            self._stop_observing(f"{_UNREAD}: {failed.message}")

    def _wanted(self, group: Group) -> Sequence[Check]:
        left = {check.id for check in self._left()}
        return [check for check in group.checks if check.id in left]

    def _left(self) -> Sequence[Check]:
        done = {each.id for each in self._context.results}
        return [check for check in self._plan.checks if check.id not in done]

    async def _stopped(self, exchange: Exchange) -> None:
        """Say why the run ends before its end."""
        if self._context.client.count == 1:
            await self._refuse_all(exchange)
            return
        reason = f"the control was accepted before, and now: {exchange.in_words()}"
        self._context.refute(reason)
        self._context.leave_out(self._plan.checks, Verdict.INCONCLUSIVE, f"stopped: {reason}")

    async def _refuse_all(self, exchange: Exchange) -> None:
        """End a run whose gate is closed: find the mistake."""
        if exchange.answer is None and exchange.is_unreachable:
            raise ReceiverUnavailable(
                f"Nobody answers at {self._plan.endpoint.url}: {exchange.reason}.",
                hint="Start the receiver first.",
            )
        if self._diagnose is not None:
            self._diagnosis = await self._diagnose(exchange)
        if self._diagnosis is None:
            self._diagnosis = Diagnosis(what=refusal_in_words(exchange))
        self._context.judge_valid(GATE, exchange)
        self._context.confirm()
        self._context.leave_out(self._plan.checks, Verdict.SKIPPED, NOTHING_VERIFIES)

    def _causes(self) -> Mapping[str, Cause]:
        """Return the cause of each refusal, by the check's id; behind a closed gate, as diagnosed.

        One refusal alone fits every mistake.
        """
        if self._diagnosis is not None:
            cause = Cause(
                what=self._without_secret(self._diagnosis.what),
                fix=self._diagnosis.fix or GATE.fix,
                languages=tuple(self._diagnosis.languages),
            )
            return {GATE.id: cause}
        return causes(
            self._context.wrongly_refused,
            self._context.valid,
            secret=self._plan.secret,
            assumptions=self._plan.assumptions,
            language=self._plan.language,
        )

    def _explained(self, results: Sequence[Result]) -> Sequence[Result]:
        """Return the results, with one cause for those that have one in common."""
        found = self._causes()
        explained = [
            replace(
                each,
                cause=found[each.id].what,
                fix=found[each.id].fix,
                languages=found[each.id].languages,
            )
            if each.id in found and each.verdict is Verdict.FAIL
            else each
            for each in results
        ]
        forged = [each for each in explained if each.group == "signature" and each.is_graded]
        if len(forged) > 1 and all(each.verdict is Verdict.FAIL for each in forged):
            return [
                replace(each, cause=_ALL_FORGERIES) if each in forged else each
                for each in explained
            ]
        return explained


_POSITIONS = {check.id: position for position, check in enumerate(CHECKS)}

"""Check a receiver at a URL: everything that a run needs, made from words and numbers."""

import asyncio
import random
import shlex
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from leanbe_emitter.clock import SystemClock, stopwatch
from leanbe_emitter.conformance.checks.all_checks import chosen
from leanbe_emitter.conformance.client import Endpoint
from leanbe_emitter.conformance.diagnosis import Diagnoser
from leanbe_emitter.conformance.observation import Observe, Timing, by_command, by_function, by_url
from leanbe_emitter.conformance.report import Report
from leanbe_emitter.conformance.run import Plan, Run
from leanbe_emitter.conformance.started_receiver import StartedReceiver, started
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import AnswerLimits, TlsSettings
from leanbe_emitter.domain.webhooks import check_ca_file, check_secret
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.header_rules import check_header
from leanbe_emitter.ids import Ids
from leanbe_emitter.settings import Settings
from leanbe_emitter.target_rules import TargetRules, check_url
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import event_kind


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A check that a caller wants: its URL, and how it is done.

    Attributes:
        url: the receiver's URL.
        secret: its secret.
        checks: ids and globs of checks; empty for all.
        exclude: ids and globs of checks to leave out.
        events: the events that idempotency is checked on; empty: the first that has an effect.
        headers: further headers of each request.
        assume: assumptions by name.
        ca_file: a PEM file of authorities that are trusted instead of the system's.
        insecure: whether any certificate is accepted.
        observe: a command that prints what the receiver stored; empty without one.
        observe_url: a URL that shows it; empty without one.
        observe_headers: the headers of requests to that URL.
        settle_seconds: the shortest time without a change of the observation.
        settle_timeout_seconds: the longest wait for it.
        start: a command that runs the receiver; empty if it runs already.
        deadline_seconds: how long the slowest answer may take.
        timeout_seconds: how long a request may take.
        seed: repeats ids and tokens; None for a new one.
        language: the receiver's language, for the repair; None: the mistake tells it.
    """

    url: str
    secret: str = field(repr=False)
    checks: Sequence[str] = ()
    exclude: Sequence[str] = ()
    events: Sequence[str] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    assume: dict[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    insecure: bool = False
    observe: str = ""
    observe_url: str = ""
    observe_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    settle_seconds: float = 0.3
    settle_timeout_seconds: float = 10.0
    start: str = ""
    deadline_seconds: float = 5.0
    timeout_seconds: float = 10.0
    seed: int | None = None
    language: str | None = None


class UrlCheck:
    """A check of a receiver at a URL. It sends forged requests, so the targets are few.

    Args:
        wanted: what to check.
        settings: limits and allowed targets.
        rules: which targets may be called; by default, loopback and private networks, and those
            that the settings allow.
        observe: a function that returns what the receiver stored, instead of a command or URL.

    Raises:
        InvalidTarget: the rules do not allow the URL.
        InvalidValue: a secret, header, check, event, assumption or command that is refused.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        settings: Settings | None = None,
        rules: TargetRules | None = None,
        observe: Callable[[], Any] | None = None,
    ) -> None:
        self._observe_by = observe
        self._settings = settings or Settings()
        self._rules = rules or replace(self._settings.target_rules, exposed=True)
        self._clock = SystemClock()
        self._wanted = wanted
        check_url(wanted.url, self._rules)
        check_secret(wanted.secret)
        self._plan = Plan(
            endpoint=Endpoint(
                url=wanted.url,
                headers=tuple(check_header(*each) for each in wanted.headers),
                timeout_seconds=wanted.timeout_seconds,
                tls=TlsSettings(
                    ca_file=wanted.ca_file and check_ca_file(wanted.ca_file),
                    insecure=wanted.insecure,
                ),
            ),
            secret=wanted.secret,
            checks=chosen(wanted.checks, exclude=wanted.exclude),
            events=[event_kind(name).name for name in wanted.events],
            assumptions=parse_assumptions({**self._settings.assume, **wanted.assume}),
            deadline_seconds=wanted.deadline_seconds,
            seed=_new_seed() if wanted.seed is None else wanted.seed,
            language=wanted.language,
        )
        self._observe_words = _words(wanted.observe)
        self._start_words = _words(wanted.start)
        if wanted.observe_url:
            check_url(wanted.observe_url, self._rules)

    async def run(self) -> Report:
        """Make the checks.

        Raises:
            ObservationFailed: what the receiver stored cannot be read; nothing was sent.
            ReceiverUnavailable: nobody answers at the URL, or the receiver does not start.
        """
        transport = Http1Transport(rules=self._rules, limits=AnswerLimits.of(self._settings))
        ids = Ids(random.Random(self._plan.seed))  # noqa: S311 - a seeded run can be repeated
        async with AsyncExitStack() as resources:
            resources.push_async_callback(transport.aclose)
            process = await resources.enter_async_context(started(self._process()))
            run = Run(
                self._plan,
                transport=transport,
                clock=self._clock,
                ids=ids,
                timing=self._timing(),
                observe=self._observe(transport),
                process=process,
                diagnose=Diagnoser(
                    self._plan, transport=transport, rules=self._rules, clock=self._clock, ids=ids
                ).diagnose,
            )
            return await run.run()

    def _timing(self) -> Timing:
        return Timing(
            pause=asyncio.sleep,
            stopwatch=stopwatch,
            finish=_nothing,
            settle_seconds=self._wanted.settle_seconds,
            timeout_seconds=self._wanted.settle_timeout_seconds,
        )

    def _observe(self, transport: Http1Transport) -> Observe | None:
        if self._observe_by is not None:
            return by_function(self._observe_by)
        if self._observe_words:
            return by_command(self._observe_words)
        if self._wanted.observe_url:
            return by_url(
                self._wanted.observe_url,
                transport,
                headers=self._wanted.observe_headers,
                tls=self._plan.endpoint.tls,
            )
        return None

    def _process(self) -> StartedReceiver | None:
        if not self._start_words:
            return None
        return StartedReceiver(self._start_words, url=self._wanted.url, pause=asyncio.sleep)


def _words(command: str) -> list[str]:
    """Return the words of a command, as a shell splits them; no shell runs it."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise InvalidValue(
            f"The command {command!r} cannot be split into words: {error}.",
            hint="Close its quotes.",
        ) from None


def _new_seed() -> int:
    return random.SystemRandom().getrandbits(32)


async def _nothing() -> None:
    """Wait for nothing: a receiver at a URL does not tell when it has done its work."""

"""Check a receiver of this process: an app, a framework's test client, or a function.

Nothing waits: the app has done its work when its transport says so. A receiver that needs no event
loop is called on the caller's thread, with the caller's data.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from leanbe_emitter.clock import Clock, SystemClock, stopwatch
from leanbe_emitter.conformance.checks.all_checks import GATE, chosen
from leanbe_emitter.conformance.client import Endpoint
from leanbe_emitter.conformance.diagnosis import Diagnoser
from leanbe_emitter.conformance.observation import Timing, by_function
from leanbe_emitter.conformance.report import Report
from leanbe_emitter.conformance.run import Plan, Run
from leanbe_emitter.delivery.in_process.call import SETTLE_SECONDS
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.loop_runner import LoopRunner
from leanbe_emitter.library.runtime.routing_transport import RoutingTransport
from leanbe_emitter.settings import Settings
from leanbe_emitter.target_rules import TargetRules
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions


class AppCheck:
    """A check of a receiver of this process.

    Args:
        app: an app, a framework's test client, or a function of one argument.
        path: the path of its webhook.
        secret: the secret with which it verifies.
        checks: ids and globs of checks; empty for all.
        exclude: ids and globs of checks to leave out.
        observe: returns what the app stored; None: nothing shows it.
        assume: assumptions by name.
        seed: repeats ids and tokens.
        clock: the source of time.

    Raises:
        InvalidValue: the app is no receiver, or a value is refused.
    """

    def __init__(  # noqa: PLR0913 - a receiver, and what to check
        self,
        app: Any,
        *,
        path: str = "/",
        secret: str,
        checks: Sequence[str] = (),
        exclude: Sequence[str] = (),
        observe: Callable[[], Any] | None = None,
        assume: Mapping[str, str] | None = None,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._receivers = ReceiverRegistry()
        self._observe = observe
        self._clock = clock or SystemClock()
        self._plan = Plan(
            endpoint=Endpoint(url=self._receivers.url(app, path)),
            secret=secret,
            checks=chosen(checks, exclude=exclude),
            assumptions=parse_assumptions({**Settings().assume, **(assume or {})}),
            is_networked=False,
            seed=seed,
        )

    async def run(self) -> Report:
        """Make the checks; without an event loop, the caller drives this by hand."""
        loop_runner = LoopRunner(meanwhile=nullcontext)
        rules = TargetRules()
        transport = RoutingTransport(
            Http1Transport(rules=rules), receivers=self._receivers, loop_runner=loop_runner
        )
        ids = Ids(random.Random(self._plan.seed))  # noqa: S311 - a seeded run can be repeated
        diagnoser = Diagnoser(
            self._plan, transport=transport, rules=rules, clock=self._clock, ids=ids
        )
        run = Run(
            self._plan,
            transport=transport,
            clock=self._clock,
            ids=ids,
            timing=self._timing(loop_runner),
            observe=None if self._observe is None else by_function(self._observe),
            # A suite has a test for each check, and one of them tells the mistake.
            diagnose=diagnoser.diagnose if GATE in self._plan.checks else None,
        )
        with loop_runner.interrupts.taking():
            try:
                return await run.run()
            finally:
                await self._close(loop_runner)

    def _timing(self, loop_runner: LoopRunner) -> Timing:
        return Timing(
            pause=_no_pause,
            stopwatch=stopwatch,
            finish=partial(self._finish, loop_runner),
            settle_seconds=0,
            timeout_seconds=SETTLE_SECONDS,
        )

    async def _finish(self, loop_runner: LoopRunner) -> None:
        """Wait until the app has done the work after its answers."""
        receiver = self._receivers.at(self._plan.endpoint.url)
        if receiver is not None and receiver.needs_loop:
            await loop_runner.enter(partial(receiver.settle, timeout_seconds=SETTLE_SECONDS))

    async def _close(self, loop_runner: LoopRunner) -> None:
        if self._receivers.is_in_loop:
            await loop_runner.enter(self._receivers.aclose)
        loop_runner.close()


async def _no_pause(_seconds: float) -> None:
    """Wait for nothing: the app tells when it has done its work."""

"""Waiting for what other processes, threads or tasks bring about."""

from collections.abc import Callable

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.loops import rest
from leanbe_emitter.errors import WaitTimedOut
from leanbe_emitter.hints import LIST_DELIVERIES, Hint

#: How long somebody who waits or follows rests before looking again, in seconds.
LOOK_SECONDS = 0.05


async def wait_until(
    is_met: Callable[[], bool],
    *,
    timeout_seconds: float,
    came: Callable[[], str],
    why: Callable[[], Hint] = lambda: Hint.same("Is a worker running?"),
) -> None:
    """Look again and again until it is met.

    Args:
        is_met: whether it is.
        timeout_seconds: how long to wait.
        came: what happened instead, in words.
        why: what stands in the way, in a sentence.

    Raises:
        WaitTimedOut: it was not met in that time.
    """
    started = stopwatch()
    while not is_met():
        left = timeout_seconds - (stopwatch() - started)
        if left <= 0:
            raise WaitTimedOut(
                f"After {timeout_seconds:g} s {came()}.",
                hint=why().then(LIST_DELIVERIES.between("", " shows what is owed.")),
            )
        await rest(min(LOOK_SECONDS, left))

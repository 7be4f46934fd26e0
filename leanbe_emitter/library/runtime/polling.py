"""Waiting by polling, for changes that other processes, threads or tasks make."""

from collections.abc import Callable

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.event_loops import sleep
from leanbe_emitter.errors import WaitTimedOut, check_type
from leanbe_emitter.hints import LIST_DELIVERIES, Hint

#: The pause between two polls, in seconds.
POLL_SECONDS = 0.05


async def wait_until(
    is_met: Callable[[], bool],
    *,
    timeout_seconds: float,
    came: Callable[[], str],
    why: Callable[[], Hint] = lambda: Hint.same("Is a worker running?"),
) -> None:
    """Poll until a condition is met.

    Args:
        is_met: the condition.
        timeout_seconds: how long to wait.
        came: describes what happened so far, for the error.
        why: describes why the condition is not met, for the error's hint.

    Raises:
        WaitTimedOut: the condition was not met in that time.
    """
    check_type(timeout_seconds, int, float, what="timeout_seconds", words="a number of seconds")
    started = stopwatch()
    while not is_met():
        left = timeout_seconds - (stopwatch() - started)
        if left <= 0:
            raise WaitTimedOut(
                f"After {timeout_seconds:g} s {came()}.",
                hint=why().then(LIST_DELIVERIES.between("", " shows what is pending.")),
            )
        await sleep(min(POLL_SECONDS, left))

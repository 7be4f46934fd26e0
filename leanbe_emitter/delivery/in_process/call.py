"""One call of an app in this process, and the facts that Leanbe notes during the call.

All code that the app runs during a call carries the call in a context variable, also in tasks and
in threads. So an interrupted line or a swallowed error finds its call.
"""

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

#: How long an app in this process may take to answer, in seconds. A shorter timeout of the webhook
#: (contract c.5) takes precedence.
ANSWER_SECONDS = 1.0
#: How long after its deadline a call is interrupted, in seconds: code that only waits ends earlier.
SLACK_SECONDS = 0.05
#: How long ``settle`` waits for the work that an app does after its answer, in seconds.
SETTLE_SECONDS = 5.0

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(kw_only=True, eq=False)
class Call:
    """A call of an app.

    Attributes:
        seconds: the time that the call may take.
        is_watched: whether the watchdog interrupts the call if its code blocks at the deadline.
        blocked_at: the line at which the watchdog interrupted the call; empty if it did not.
        is_debugged: whether a debugger has stopped inside of the call, whose time then does not
            count.
        swallowed_errors: errors for which the framework answered and which it did not raise.
    """

    seconds: float
    is_watched: bool = False
    blocked_at: str = ""
    is_debugged: bool = False
    swallowed_errors: list[BaseException] = field(default_factory=list)

    @property
    def timeout_reason(self) -> str:
        """The reason of an attempt whose call did not end in time."""
        blocked = f": the app blocks at {self.blocked_at}" if self.blocked_at else ""
        return f"no complete answer within {self.seconds:g} s{blocked}"

    def is_overdue(self, taken_seconds: float) -> bool:
        """Say whether a call that nobody could interrupt took too long."""
        is_judged = not (self.is_watched or self.is_debugged)
        return is_judged and taken_seconds > self.seconds + 2 * SLACK_SECONDS

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the work as part of this call, in a copy of the current context."""
        context = copy_context()
        context.run(_CURRENT.set, self)
        return context.run(work, *args, **kwargs)


_CURRENT: ContextVar[Call | None] = ContextVar("leanbe_emitter_call", default=None)


def current_call() -> Call | None:
    """Return the call that the running code is part of; None outside of a call."""
    return _CURRENT.get()

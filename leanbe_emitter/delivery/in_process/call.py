"""One call into an app of this process, and what is noticed about it while it lasts.

Whatever the app does in the course of a call, in tasks and threads too, carries the call with it
in a context variable: that is how an interrupted line or a swallowed error finds its call.
"""

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

#: How long an app in this process may take to answer, in seconds; the webhook's own timeout
#: (contract c.5) if that is shorter.
ANSWER_SECONDS = 1.0
#: How much later than its deadline a call is interrupted: what only waits ends by itself.
SLACK_SECONDS = 0.05
#: How long ``settle`` waits for the work that an app does after its answer, in seconds.
SETTLE_SECONDS = 5.0

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(kw_only=True, eq=False)
class Call:
    """A call into an app.

    Attributes:
        seconds: how long it may take.
        is_watched: it is interrupted at its deadline, should its code block.
        blocked_at: the line at which its code was interrupted, because it did not end in time.
        is_debugged: somebody stands in it with a debugger: its time does not count.
        swallowed_errors: errors of the app that its framework answered for and did not raise.
    """

    seconds: float
    is_watched: bool = False
    blocked_at: str = ""
    is_debugged: bool = False
    swallowed_errors: list[BaseException] = field(default_factory=list)

    @property
    def timeout_reason(self) -> str:
        """The words for an attempt that did not end in time."""
        blocked = f": the app blocks at {self.blocked_at}" if self.blocked_at else ""
        return f"no complete answer within {self.seconds:g} s{blocked}"

    def is_overdue(self, taken_seconds: float) -> bool:
        """Say whether it took too long, where nobody could interrupt it."""
        is_judged = not (self.is_watched or self.is_debugged)
        return is_judged and taken_seconds > self.seconds + 2 * SLACK_SECONDS

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the work as part of this call, in a copy of the present context."""
        context = copy_context()
        context.run(_CURRENT.set, self)
        return context.run(work, *args, **kwargs)


_CURRENT: ContextVar[Call | None] = ContextVar("leanbe_emitter_call", default=None)


def current_call() -> Call | None:
    """Return the call that the present code is part of; None outside of any."""
    return _CURRENT.get()

"""The receivers in this process, each at an address of its own.

The first is at ``testserver``, the name that frameworks know from their test clients; the next ones
are at other ports of it: ``testserver:2``. The same app is always at the same address. Nothing
listens there: whoever sends asks here first, and sends over the network what is not found.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leanbe_emitter.delivery.in_process.app_errors import AppError
from leanbe_emitter.delivery.network.answer_buffer import KEPT, AnswerLimits
from leanbe_emitter.errors import InvalidValue, WaitTimedOut
from leanbe_emitter.targets import Target

if TYPE_CHECKING:
    from leanbe_emitter.delivery.in_process.detect import InProcessTransport

#: The host of every receiver in this process.
HOST = "testserver"


class ReceiverRegistry:
    """Receivers by address.

    Args:
        kept: how much of an answer is kept.
    """

    def __init__(self, *, kept: AnswerLimits = KEPT) -> None:
        self._kept = kept
        self._apps: list[tuple[object, str]] = []
        self._at: dict[str, InProcessTransport] = {}
        # By receivers that are forgotten.
        self._raised: list[AppError] = []

    def __len__(self) -> int:
        return len(self._at)

    def url(self, app: Any, path: str = "/", *, scheme: str = "http") -> str:
        """Return a URL at which the receiver is found from now on.

        Args:
            app: what ``transport_for`` takes.
            path: where in it the webhook is; a query may follow.
            scheme: ``http`` or ``https``; both find it.

        Raises:
            InvalidValue: it is no receiver, or no path.
        """
        if not path.startswith("/"):
            raise InvalidValue(
                f"The path {path!r} does not begin with a slash.", hint="/hook does."
            )
        return f"{scheme}://{self._address(app)}{path}"

    def at(self, url: str) -> "InProcessTransport | None":
        """Return what carries requests to the receiver of a URL; None if none is there."""
        return self._at.get(Target.of(url).authority) if self._at else None

    @property
    def is_in_loop(self) -> bool:
        """Whether one of them has to be stopped in an event loop."""
        return any(each.is_in_loop for each in self._at.values())

    def take_errors(self) -> list[AppError]:
        """Return what the receivers raised since this was last asked."""
        raised, self._raised = self._raised, []
        return raised + [error for each in self._at.values() for error in each.errors.take()]

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float
    ) -> None:
        """Wait until all that the receivers do after their answers is done.

        Raises:
            WaitTimedOut: it was not done; the message names the line.
        """
        for each in self._at.values():
            await each.settle(until=until, timeout_seconds=timeout_seconds)
        if until is not None and not until():
            raise WaitTimedOut(
                "What was waited for does not hold, and no receiver is at work.",
                hint="Look at what the receiver was to do.",
            )

    async def aclose(self) -> None:
        """Stop every receiver, and forget it: its address is free again."""
        stopped, self._at, self._apps = self._at, {}, []
        for each in stopped.values():
            await each.aclose()
            self._raised += each.errors.take()

    def _address(self, app: Any) -> str:
        for known, address in self._apps:
            if known is app:
                return address
        # Loaded only by whoever has a receiver.
        from leanbe_emitter.delivery.in_process.detect import transport_for  # noqa: PLC0415

        transport = transport_for(app, kept=self._kept)
        address = f"{HOST}:{len(self._apps) + 1}" if self._apps else HOST
        self._apps.append((app, address))
        self._at[address] = transport
        return address

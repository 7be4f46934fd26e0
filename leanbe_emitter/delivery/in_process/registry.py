"""Registry of the receivers in this process, each at an address of its own.

The first receiver is at ``testserver``, the host of the frameworks' test clients. The next ones are
at other ports of this host: ``testserver:2``. The same app keeps the same address. No socket
listens there: a sender asks the registry first, and uses the network for every other address.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leanbe_emitter.delivery.in_process.app_errors import AppError
from leanbe_emitter.delivery.network.transport import DEFAULT_LIMITS, AnswerLimits
from leanbe_emitter.errors import InvalidValue, WaitTimedOut
from leanbe_emitter.target_rules import Target

if TYPE_CHECKING:
    from leanbe_emitter.delivery.in_process.detect import InProcessTransport

#: The host of every receiver in this process.
HOST = "testserver"


class ReceiverRegistry:
    """Receivers by their address.

    Args:
        limits: how much of an answer is stored.
    """

    def __init__(self, *, limits: AnswerLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._apps: list[tuple[object, str]] = []
        self._at: dict[str, InProcessTransport] = {}
        # Errors of receivers that the registry has forgotten.
        self._raised: list[AppError] = []

    def __len__(self) -> int:
        return len(self._at)

    def url(self, app: Any, path: str = "/", *, scheme: str = "http") -> str:
        """Register a receiver and return its URL.

        Args:
            app: an object that ``transport_for`` accepts.
            path: the path of the webhook in the app; a query may follow.
            scheme: ``http`` or ``https``; both find the receiver.

        Raises:
            InvalidValue: the app is not a receiver, or the path does not begin with a slash.
        """
        if not path.startswith("/"):
            raise InvalidValue(
                f"The path {path!r} does not begin with a slash.", hint="Write /hook, for example."
            )
        return f"{scheme}://{self._address(app)}{path}"

    def at(self, url: str) -> "InProcessTransport | None":
        """Return the transport to the receiver of a URL; None if no receiver is there."""
        return self._at.get(Target.of(url).authority) if self._at else None

    @property
    def is_in_loop(self) -> bool:
        """Whether one of the receivers has to be stopped in an event loop."""
        return any(each.is_in_loop for each in self._at.values())

    def take_errors(self) -> list[AppError]:
        """Return the errors that the receivers raised since the last call."""
        raised, self._raised = self._raised, []
        return raised + [error for each in self._at.values() for error in each.errors.take()]

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float
    ) -> None:
        """Wait until all receivers have done their work after their answers.

        Raises:
            WaitTimedOut: the work is not done; the message names the line.
        """
        for each in self._at.values():
            await each.settle(until=until, timeout_seconds=timeout_seconds)
        if until is not None and not until():
            raise WaitTimedOut(
                "The condition of until= is false, and no receiver is at work.",
                hint="Check the work of the receiver.",
            )

    async def aclose(self) -> None:
        """Stop and forget every receiver; its address is free again."""
        stopped, self._at, self._apps = self._at, {}, []
        for each in stopped.values():
            await each.aclose()
            self._raised += each.errors.take()

    def _address(self, app: Any) -> str:
        for known, address in self._apps:
            if known is app:
                return address
        # Only a process with a receiver loads this.
        from leanbe_emitter.delivery.in_process.detect import transport_for  # noqa: PLC0415

        transport = transport_for(app, limits=self._limits)
        address = f"{HOST}:{len(self._apps) + 1}" if self._apps else HOST
        self._apps.append((app, address))
        self._at[address] = transport
        return address

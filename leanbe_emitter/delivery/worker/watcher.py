"""Watchers: observers of attempts, such as a terminal or a test."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from leanbe_emitter.delivery.queue_types import Claimed, Settlement


class Watcher(Protocol):
    """Observer of every attempt."""

    def begun(self, claimed: Claimed) -> None:
        """Note that an attempt begins."""
        ...

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Note that an attempt has ended and is settled."""
        ...


@runtime_checkable
class TurnWatcher(Watcher, Protocol):
    """Watcher that a worker also calls once at the end of each turn."""

    def turn_ended(self) -> None:
        """Do work that is done once for many attempts, such as printing them."""
        ...


def end_of_turn(watcher: Watcher) -> Callable[[], None]:
    """Return the watcher's ``turn_ended``, or a function that does nothing where it has none."""
    return watcher.turn_ended if isinstance(watcher, TurnWatcher) else _do_nothing


def _do_nothing() -> None:
    pass


class Nobody:
    """Watcher that does nothing."""

    def begun(self, claimed: Claimed) -> None:
        """Do nothing."""

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Do nothing."""


#: Shared, as it has no state.
NOBODY = Nobody()

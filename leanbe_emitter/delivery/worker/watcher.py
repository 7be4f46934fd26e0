"""Who looks on while attempts are made: a terminal, a test, nobody."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from leanbe_emitter.delivery.claims import Claimed, Settlement


class Watcher(Protocol):
    """Somebody who is told of every attempt while it is made."""

    def begun(self, claimed: Claimed) -> None:
        """An attempt begins."""
        ...

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """An attempt ended, and is settled."""
        ...


@runtime_checkable
class TurnWatcher(Watcher, Protocol):
    """A watcher that also hears when a worker has told all that there is to tell in a turn."""

    def turn_ended(self) -> None:
        """Do what is done once for many attempts, such as writing about them."""
        ...


def end_of_turn(watcher: Watcher) -> Callable[[], None]:
    """Return what tells a watcher that a turn has ended; most watchers need not hear of it."""
    return watcher.turn_ended if isinstance(watcher, TurnWatcher) else _do_nothing


def _do_nothing() -> None:
    pass


class Nobody:
    """A watcher that does not look."""

    def begun(self, claimed: Claimed) -> None:
        """Do nothing."""

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Do nothing."""


#: One for all: it keeps nothing.
NOBODY = Nobody()

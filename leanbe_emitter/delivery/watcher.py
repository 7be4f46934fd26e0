"""Who looks on while attempts are made: a terminal, a test, nobody."""

from typing import Protocol

from leanbe_emitter.delivery.claims import Claimed, Settlement


class Watcher(Protocol):
    """Somebody who is told of every attempt while it is made."""

    def begun(self, claimed: Claimed) -> None:
        """An attempt begins."""
        ...

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """An attempt ended, and is settled."""
        ...


class Nobody:
    """A watcher that does not look."""

    def begun(self, claimed: Claimed) -> None:
        """Do nothing."""

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Do nothing."""


#: One for all: it keeps nothing.
NOBODY = Nobody()

"""Ids, secrets and colours: all of them from one random source, each kind from a stream of its own.

An ObjectId is 4 bytes of seconds, 5 bytes that are one maker's own, and a 3-byte counter, so that
ids of one maker sort by their creation (contract a.2), and those of several where each is told what
the others made (``Ids.follow``). With a stream for each kind, one more event does not change the
next document's id, nor an id the next secret.
"""

import itertools
import random
import uuid
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

#: How many lower-case hex digits an ObjectId has.
OBJECT_ID_LENGTH = 24

_SECONDS = 0xFFFFFFFF
_OWN = 0xFFFFFFFFFF
_NUMBERS = 0xFFFFFF


class IdOf(StrEnum):
    """What an id is made for."""

    DOCUMENT = "document"
    EVENT = "event"
    DELIVERY = "delivery"
    LEASE = "lease"
    FAULT = "fault"


class Ids:
    """The source of ids and secrets.

    Args:
        source: where the chance comes from; the operating system's by default, a seeded
            ``random.Random`` for values that are the same in every run.
    """

    def __init__(self, source: random.Random | None = None) -> None:
        self._seed = None if source is None else source.getrandbits(64)
        self._makers = {kind: _Maker(self._stream(kind)) for kind in IdOf}
        self._public_ids = self._stream("public id")
        self._secrets = self._stream("secret")
        self._colours = self._stream("colour")

    def begin_again(self) -> None:
        """Make the same ids, secrets and colours again, as at the last time it was said.

        Without a seed of its own, they are those of a seed that is everybody's. Leases go on: what
        was leased before must not be taken for what is leased now.
        """
        self._seed = 0 if self._seed is None else self._seed
        for kind in set(IdOf) - {IdOf.LEASE}:
            self._makers[kind].begin(self._stream(kind))
        self._public_ids = self._stream("public id")
        self._secrets = self._stream("secret")
        self._colours = self._stream("colour")

    def object_id(self, at: datetime, *, of: IdOf = IdOf.DOCUMENT) -> str:
        """Return a new ObjectId of that second: 24 lower-case hex digits."""
        return self._makers[of].make(int(at.timestamp()))

    def maker(self, of: IdOf) -> Callable[[int], str]:
        """Return what makes ObjectIds of one kind: seconds since 1970 in, an id out."""
        return self._makers[of].make

    def follow(self, last: str | None, *, of: IdOf) -> None:
        """Let the ids of one kind sort behind one of the same second that another maker made."""
        if last is not None:
            self._makers[of].follow(last)

    def public_id(self) -> str:
        """Return a new version-4 UUID in its usual text form."""
        return str(uuid.UUID(int=self._public_ids.getrandbits(128), version=4))

    def secret(self) -> str:
        """Return a new webhook secret: 64 hex digits of 32 random bytes (contract c.1)."""
        return f"{self._secrets.getrandbits(256):064x}"

    def colour(self) -> str:
        """Return a colour as ``#RRGGBB``, upper case (contract b.2)."""
        return f"#{self._colours.getrandbits(24):06X}"

    def _stream(self, name: str) -> random.Random:
        if self._seed is None:
            return random.SystemRandom()
        return random.Random(f"{self._seed}/{name}")  # noqa: S311 - seeded on purpose

    def __repr__(self) -> str:
        return "Ids()"


@lru_cache(maxsize=64)
def beginning_of(second: int) -> str:
    """Return what all ObjectIds of a second begin with: seconds since 1970 in, 8 digits out."""
    return f"{second & _SECONDS:08x}"


def ids_of_second(second: int) -> tuple[str, str]:
    """Return the first and the last ObjectId that a second, since 1970, can have."""
    beginning = beginning_of(second)
    length = OBJECT_ID_LENGTH - len(beginning)
    return beginning + "0" * length, beginning + "f" * length


class _Maker:
    """Makes ObjectIds that nobody else makes, from any thread."""

    def __init__(self, stream: random.Random) -> None:
        self.begin(stream)

    def begin(self, stream: random.Random) -> None:
        self._stream = stream
        self._own = f"{stream.getrandbits(40):010x}"
        # Taking the next number is one step of the interpreter: no two threads get the same.
        self._numbers = itertools.count(stream.getrandbits(24) + 1)

    def make(self, second: int) -> str:
        return f"{beginning_of(second)}{self._own}{next(self._numbers) & _NUMBERS:06x}"

    def follow(self, last: str) -> None:
        # By a step of chance: two who follow the same one make different ids all the same.
        if (theirs := last[8:18]) > self._own:
            own = int(theirs, 16) + 1 + self._stream.getrandbits(16)
            self._own = f"{own & _OWN:010x}"

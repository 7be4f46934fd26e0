"""Ids, secrets and colours: all from one random source, with a separate stream for each kind.

An ObjectId has 4 bytes of seconds, 5 bytes of its maker, and a 3-byte counter. So the ids of one
maker sort by their creation (contract a.2); ids of several makers do so if each follows the others
(``Ids.follow``). Because each kind has its stream, one more event does not change the next
document's id or the next secret.
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
    """The kind of object that an id is for."""

    DOCUMENT = "document"
    EVENT = "event"
    DELIVERY = "delivery"
    LEASE = "lease"
    FAULT = "fault"


class Ids:
    """The source of ids and secrets.

    Args:
        source: the source of randomness; by default the operating system's. A seeded
            ``random.Random`` gives the same values in every run.
    """

    def __init__(self, source: random.Random | None = None) -> None:
        self._seed = None if source is None else source.getrandbits(64)
        self._makers = {kind: _Maker(self._stream(kind)) for kind in IdOf}
        self._public_ids = self._stream("public id")
        self._secrets = self._stream("secret")
        self._colours = self._stream("colour")

    def restart(self) -> None:
        """Start all streams again, so that the same ids, secrets and colours follow.

        Without a seed, all streams start from a fixed seed. Lease tokens go on, because a new lease
        must not have the token of an old one.
        """
        self._seed = 0 if self._seed is None else self._seed
        for kind in set(IdOf) - {IdOf.LEASE}:
            self._makers[kind].begin(self._stream(kind))
        self._public_ids = self._stream("public id")
        self._secrets = self._stream("secret")
        self._colours = self._stream("colour")

    def object_id(self, at: datetime, *, of: IdOf = IdOf.DOCUMENT) -> str:
        """Return a new ObjectId of the given second: 24 lower-case hex digits."""
        return self._makers[of].make(int(at.timestamp()))

    def maker(self, of: IdOf) -> Callable[[int], str]:
        """Return a function from seconds since 1970 to a new ObjectId of one kind."""
        return self._makers[of].make

    def follow(self, last: str | None, *, of: IdOf) -> None:
        """Make the next ids of one kind sort after an id of the same second by another maker."""
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
def object_id_prefix(second: int) -> str:
    """Return the first 8 digits of all ObjectIds of a second (seconds since 1970)."""
    return f"{second & _SECONDS:08x}"


def second_of_id(object_id: str) -> int:
    """Return the second of an ObjectId, since 1970."""
    return int(object_id[:8], 16)


def ids_of_second(second: int) -> tuple[str, str]:
    """Return the first and the last ObjectId that a second, since 1970, can have."""
    beginning = object_id_prefix(second)
    length = OBJECT_ID_LENGTH - len(beginning)
    return beginning + "0" * length, beginning + "f" * length


class _Maker:
    """Makes unique ObjectIds, from any thread."""

    def __init__(self, stream: random.Random) -> None:
        self.begin(stream)

    def begin(self, stream: random.Random) -> None:
        self._stream = stream
        self._own = f"{stream.getrandbits(40):010x}"
        # ``next`` is one step of the interpreter, so that no two threads get the same number.
        self._numbers = itertools.count(stream.getrandbits(24) + 1)

    def make(self, second: int) -> str:
        return f"{object_id_prefix(second)}{self._own}{next(self._numbers) & _NUMBERS:06x}"

    def follow(self, last: str) -> None:
        # By a random step, so that two makers that follow the same id make different ids.
        if (theirs := last[8:18]) > self._own:
            own = int(theirs, 16) + 1 + self._stream.getrandbits(16)
            self._own = f"{own & _OWN:010x}"

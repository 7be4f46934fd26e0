"""Ids, secrets and samples' colours: all of them from one random source.

An ObjectId is 4 bytes of seconds, 5 bytes that are one maker's own, and a 3-byte counter, so that
ids of one maker sort by their creation (contract a.2).
"""

import random
import threading
import uuid
from datetime import datetime

_COUNTER_LIMIT = 1 << 24


class Ids:
    """The source of ids and secrets.

    Args:
        source: where the chance comes from; the operating system's by default, a seeded
            ``random.Random`` for bytes that are the same in every run.
    """

    def __init__(self, source: random.Random | None = None) -> None:
        self._random = source if source is not None else random.SystemRandom()
        self._maker = f"{self._random.getrandbits(40):010x}"
        self._counter = self._random.getrandbits(24)
        self._lock = threading.Lock()

    def object_id(self, at: datetime) -> str:
        """Return a new ObjectId of that second: 24 lower-case hex digits."""
        with self._lock:
            self._counter = (self._counter + 1) % _COUNTER_LIMIT
            counter = self._counter
        return f"{int(at.timestamp()) & 0xFFFFFFFF:08x}{self._maker}{counter:06x}"

    def public_id(self) -> str:
        """Return a new version-4 UUID in its usual text form."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """Return a new webhook secret: 64 hex digits of 32 random bytes (contract c.1)."""
        return f"{self._random.getrandbits(256):064x}"

    def colour(self) -> str:
        """Return a colour as ``#RRGGBB``, upper case (contract b.2)."""
        return f"#{self._random.getrandbits(24):06X}"

    def __repr__(self) -> str:
        return "Ids()"

"""What a handle says of itself: ``leanbe.info()``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leanbe_emitter.emitter.counting import Counts
from leanbe_emitter.wire.instants import print_instant


@dataclass(frozen=True, kw_only=True)
class Info:
    """Version, database, time, how much there is, and what new products assume.

    Attributes:
        version: of this program.
        db: the database's URL, without a password.
        clock_kind: ``manual`` or ``system``.
        now: what time it is by that clock.
        counts: how much there is of everything.
        assumptions: those that new products of this handle begin with.
    """

    version: str
    db: str
    clock_kind: str
    now: datetime
    counts: Counts
    assumptions: Mapping[str, str] = field(hash=False)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "version": self.version,
            "db": self.db,
            "clock": {"kind": self.clock_kind, "now": print_instant(self.now)},
            "counts": {
                "products": self.counts.products,
                "events": self.counts.events,
                "deliveries": {each.value: n for each, n in self.counts.deliveries.items()},
            },
            "assumptions": dict(self.assumptions),
        }

"""The content of a database before a measurement: products, and events that are due.

Events are recorded as the product records them (``outbox.record``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leanbe_emitter import Leanbe
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import NewEvent, record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.wire.stringify import stringify

_ARTICLE = Path(__file__).parents[1] / "tests" / "data" / "article-idea.json"
#: The payload: the article's own idea, 676 bytes; the envelope around it has about 830.
_IDEA = json.loads(_ARTICLE.read_text(encoding="utf-8"))
#: So many events are recorded in one transaction.
_TOGETHER = 500


@dataclass(frozen=True, kw_only=True)
class Owed:
    """The content of a database: products with a webhook, and due events, product by turns."""

    products: int
    events: int
    url: str

    @property
    def key(self) -> str:
        """The name of a database that is filled so."""
        return f"{self.events}_of_{self.products}"

    def fill(self, db: str) -> None:
        """Fill a database."""
        with Leanbe(db) as leanbe:
            ids = make_products(leanbe, self.products, url=self.url)
        enqueue(db, ids, range(self.events))


def make_products(leanbe: Leanbe, count: int, *, url: str, name: str = "Product") -> Sequence[str]:
    """Make so many products with a webhook; return their ids."""
    with leanbe.transaction():
        made = [
            leanbe.products.create(f"{name} {n}", webhook_url=url, secret="whsec_benchmark")  # noqa: S106 - nobody verifies
            for n in range(count)
        ]
    return [each.id for each in made]


def enqueue(db: str, product_ids: Sequence[str], numbers: range) -> None:
    """Record an event for each number, the products taking turns."""
    database, ids = Database(db), Ids()
    for first in range(numbers.start, numbers.stop, _TOGETHER):
        batch = range(first, min(first + _TOGETHER, numbers.stop))
        events = [happened(product_ids[n % len(product_ids)], n) for n in batch]
        with database.transaction() as session:
            record(session, events, now=SystemClock().now(), ids=ids)
    database.close()


def happened(product_id: str, number: int) -> NewEvent:
    """Return an event whose payload is known by its number."""
    return NewEvent(product_id=product_id, name="idea.created", payload_text=payload(number))


def payload(number: int) -> str:
    """Return the article's idea with an id that is a number."""
    return stringify(_IDEA | {"_id": f"{number:024d}"})

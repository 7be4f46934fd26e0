"""A small world for tests of actions: two products, a team, and one document of each kind.

Clock and ids are scripted, so a test can write down the result of an action before it acts.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from leanbe_emitter import (
    Announcement,
    BacklogItem,
    Customer,
    Event,
    Idea,
    IdeaRequest,
    Leanbe,
    Okr,
    Product,
    User,
)
from leanbe_emitter.clock import ManualClock
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.schema.states import JournalKind
from leanbe_emitter.storage.schema.tables import EventRow, JournalRow
from tests.support.expected_documents import Document, altered

#: Nothing listens at this URL, and nothing is sent to it.
URL = "http://127.0.0.1:9/hooks"
SECRET = "acme-secret"
OTHER_SECRET = "other-secret"
PUBLIC_ID = "f6256c00-a057-4afa-a59c-021dcbf3e03e"
COLOUR = "#4D80CC"

_START = datetime(2023, 7, 3, 9, 0, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
#: Time of the scene's start, and below the time at which the test acts.
THEN = "2023-07-03T09:00:00.000Z"
#: ``updatedAt`` of a document that changed at that very time: one millisecond later.
JUST_AFTER_THEN = "2023-07-03T09:00:00.001Z"
NOW = "2023-07-03T09:01:00.000Z"


class CountedIds(Ids):
    """Ids that a test knows in advance: documents are numbered from 1."""

    def __init__(self) -> None:
        super().__init__()
        self._made = dict.fromkeys(IdOf, 0)

    def object_id(self, at: datetime, *, of: IdOf = IdOf.DOCUMENT) -> str:
        self._made[of] += 1
        return self._id(at, of, self._made[of])

    @property
    def made(self) -> dict[IdOf, int]:
        """The number of ids made so far, by kind."""
        return dict(self._made)

    def go_on_from(self, made: Mapping[IdOf, int]) -> None:
        """Continue after these numbers of ids."""
        self._made = dict(made)

    def public_id(self) -> str:
        return PUBLIC_ID

    def colour(self) -> str:
        return COLOUR

    def upcoming(self, at: datetime, count: int) -> list[str]:
        """Return the ids of the next documents."""
        first = self._made[IdOf.DOCUMENT] + 1
        return [self._id(at, IdOf.DOCUMENT, number) for number in range(first, first + count)]

    @staticmethod
    def _id(at: datetime, of: IdOf, number: int) -> str:
        return f"{int(at.timestamp()):08x}{list(IdOf).index(of):010x}{number:06x}"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The products, users and documents of the scene, as they were at its start."""

    leanbe: Leanbe
    clock: ManualClock
    ids: CountedIds
    product: Product
    other: Product
    owner: User
    paul: User
    ana: Customer
    request: IdeaRequest
    idea: Idea
    item: BacklogItem
    okr: Okr
    news: Announcement

    @contextmanager
    def earlier(self) -> Iterator[None]:
        """Move the clock back to the scene's start during the block."""
        self.clock.set(_START)
        try:
            yield
        finally:
            self.clock.set(_START + _MINUTE)

    def new_ids(self, count: int) -> list[str]:
        """Return the ids of the next documents."""
        return self.ids.upcoming(self.clock.now(), count)

    @property
    def product_ref(self) -> Document:
        return {"_id": self.product.id, "name": self.product.name}

    @property
    def other_ref(self) -> Document:
        return {"_id": self.other.id, "name": self.other.name}

    @property
    def ana_ref(self) -> Document:
        return {
            "_id": self.ana.id,
            "firstName": "Ana",
            "lastName": "Alves",
            "email": "ana@example.com",
        }

    @property
    def idea_ref(self) -> Document:
        return {"_id": self.idea.id, "title": "Dark mode"}

    @property
    def request_ref(self) -> Document:
        return {"id": self.request.id, "title": "Dark, please"}

    def customer(self, **delta: Any) -> Document:
        """Return Ana's document with these members, changed now."""
        return altered(self.ana.document(), **{"updatedAt": NOW, **delta})

    def idea_request(self, **delta: Any) -> Document:
        """Return the request's document with these members, changed now."""
        return altered(self.request.document(), **{"updatedAt": NOW, **delta})

    def the_idea(self, **delta: Any) -> Document:
        """Return the idea's document with these members, changed now."""
        return altered(self.idea.document(), **{"updatedAt": NOW, **delta})

    def backlog_item(self, **delta: Any) -> Document:
        """Return the backlog item's document with these members, changed now."""
        return altered(self.item.document(), **{"updatedAt": NOW, **delta})

    def the_okr(self, **delta: Any) -> Document:
        """Return the OKR's document with these members, changed now."""
        return altered(self.okr.document(), **{"updatedAt": NOW, **delta})

    def announcement(self, **delta: Any) -> Document:
        """Return the announcement's document with these members, changed now."""
        return altered(self.news.document(), **{"updatedAt": NOW, **delta})

    def upvotes(self) -> int:
        """Return the present number of the idea's upvotes."""
        return int(self.product.ideas.get(self.idea).upvotes)


@contextmanager
def set_scene(db: str, **assume: str) -> Iterator[Scene]:
    """Set the scene in an empty database, under these assumptions."""
    clock, ids = ManualClock(_START), CountedIds()
    with Leanbe(db, clock=clock, ids=ids, assume=assume) as leanbe:
        if db == ":memory:":
            scene = _loaded(leanbe, clock, ids, assume=tuple(sorted(assume.items())))
        else:
            scene = _scene(leanbe, clock, ids)
        clock.set(_START + _MINUTE)
        yield scene


#: Scenes in memory by their assumptions: the database's image, the scene, the number of ids.
_SET: dict[tuple[tuple[str, str], ...], tuple[bytes, Scene, dict[IdOf, int]]] = {}


def _loaded(
    leanbe: Leanbe, clock: ManualClock, ids: CountedIds, *, assume: tuple[tuple[str, str], ...]
) -> Scene:
    """Set the scene in memory from the image of an earlier test; actions would be slower."""
    if assume not in _SET:
        scene = _scene(leanbe, clock, ids)
        _SET[assume] = leanbe._database.image(), scene, ids.made
        return scene
    image, scene, made = _SET[assume]
    leanbe._database.load(image)
    ids.go_on_from(made)
    # The other parts are snapshots, which belong to no handle.
    product, other = leanbe.products.list()
    return replace(scene, leanbe=leanbe, clock=clock, ids=ids, product=product, other=other)


def _scene(leanbe: Leanbe, clock: ManualClock, ids: CountedIds) -> Scene:
    product = leanbe.products.create("Acme", webhook_url=URL, secret=SECRET)
    other = leanbe.products.create("Other", webhook_url=URL, secret=OTHER_SECRET)
    return Scene(
        leanbe=leanbe,
        clock=clock,
        ids=ids,
        product=product,
        other=other,
        owner=product.users.list()[0],
        paul=product.users.create(email="paul@example.com", first_name="Paul"),
        ana=product.customers.create(
            email="ana@example.com", first_name="Ana", last_name="Alves", notes=["met in May"]
        ),
        request=product.idea_requests.create(title="Dark, please", customer="ana@example.com"),
        idea=product.ideas.create(title="Dark mode", description="All <black>", tags=["ui"]),
        item=product.backlog_items.create(title="Paint it"),
        okr=product.okrs.create(
            title="Fewer headaches",
            key_results=[
                {"title": "Reports", "startValue": 40, "targetValue": 20},
                {"title": "Score", "targetValue": 4.5, "unit": "points"},
            ],
        ),
        news=product.announcements.create(title="Soon: dark mode", categories=["News"]),
    )


@dataclass(kw_only=True)
class RecordedEvents:
    """The events that a block raised, in commit order; filled at the end of the block."""

    events: Sequence[Event] = ()

    @property
    def names(self) -> str:
        """The names of the events in order, separated by spaces."""
        return " ".join(each.name for each in self.events)

    @property
    def names_and_payloads(self) -> list[tuple[str, str]]:
        """Name and payload text of each event."""
        return [(each.name, each.payload_text) for each in self.events]

    def of(self, product: Product) -> list[Event]:
        """Return the events of one product."""
        return [each for each in self.events if each.product_id == product.id]


@contextmanager
def record_events(leanbe: Leanbe) -> Iterator[RecordedEvents]:
    """Record the events that the block raises, with or without a delivery."""
    before = _last_position(leanbe)
    noted = RecordedEvents()
    yield noted
    noted.events = _events(leanbe, after=before)


def _last_position(leanbe: Leanbe) -> int:
    # Not by a cursor, which on PostgreSQL waits for open transactions of other tests.
    with leanbe._database.reading() as session:
        return session.scalar(select(func.max(JournalRow.position))) or 0


def _events(leanbe: Leanbe, *, after: int) -> list[Event]:
    with leanbe._database.reading() as session:
        rows = session.scalars(
            select(JournalRow.entries)
            .where(JournalRow.position > after)
            .order_by(JournalRow.position)
        )
        told = [Fact(*each) for row in rows for each in json.loads(row)]
        return [
            Event.of(session.get_one(EventRow, fact.event_id))
            for fact in told
            if fact.kind == JournalKind.EVENT
        ]

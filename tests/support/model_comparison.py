"""Comparison of the library with its model (``domain_model``): both make the same actions.

After each change, these claims must hold. The database contains what the model contains, and the
action returned it. Each event's payload is, byte for byte, the document at that event plus the
event's context. A refused action changed no row. Each product's events have no gap, and no two have
the same instant. Every payload survives reading and writing, and matches the JSON Schema of its
event under the product's assumptions.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant

from leanbe_emitter import Event, Leanbe, LeanbeError, Product, stringify
from leanbe_emitter.clock import ManualClock
from leanbe_emitter.library.documents.document_snapshot import Document as Snapshot
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.stringify import parse
from tests.support.database_dump import dump
from tests.support.domain_model import ExpectedEvent, Model, ModelDocument, ModelProduct, Refused
from tests.support.expected_documents import Document, printed
from tests.support.payload_schemas import payload_validator
from tests.support.scene import COLOUR, PUBLIC_ID, URL, CountedIds, record_events

_START = datetime(2023, 7, 3, 9, tzinfo=UTC)


def verbs_of(product: Any, resource: str) -> Any:
    """Return a product's actions on documents of one resource."""
    return {
        "customer": product.customers,
        "ideaRequest": product.idea_requests,
        "idea": product.ideas,
        "backlogItem": product.backlog_items,
        "okr": product.okrs,
        "announcement": product.announcements,
    }[resource]


class ModelComparison(RuleBasedStateMachine):
    """A state machine whose rules act on the library and on the model, by ``_act``."""

    #: Makes an empty database for each example, and yields its URL.
    database: ClassVar[Any]
    #: All payloads of all examples, for Node.
    texts: ClassVar[list[str]] = []
    #: Whether a step may have changed a document since the last comparison of all of them.
    has_changed = False

    def _open(self, ours: dict[str, str], theirs: dict[str, str]) -> None:
        """Create two products, each with its assumptions; the first has a webhook."""
        self._opened = ExitStack()
        url = self._opened.enter_context(self.database())
        self.clock, self.ids = ManualClock(_START), CountedIds()
        self.leanbe = self._opened.enter_context(Leanbe(url, clock=self.clock, ids=self.ids))
        self.last: dict[str, Event] = {}
        self.products = [
            self.leanbe.products.create("Acme", webhook_url=URL, assume=ours),
            self.leanbe.products.create("Other", assume=theirs),
        ]
        for each in self.products:
            each.users.create(email="paul@example.com", first_name="Paul")
        self.model = Model(
            [
                ModelProduct(
                    id=each.id,
                    name=each.name,
                    users=[user.document() for user in each.users.list()],
                    statuses=["To Do", "In Progress", "In Review", "Done"],
                    assumptions=assumptions,
                )
                for each, assumptions in zip(self.products, (ours, theirs), strict=True)
            ]
        )

    def teardown(self) -> None:
        if hasattr(self, "_opened"):
            self._opened.close()

    @invariant()
    def the_database_is_what_the_model_says(self) -> None:
        if not self.has_changed:
            return
        self.has_changed = False
        for product in self.products:
            ours = self.model.products[product.id]
            for resource in self.model.things:
                there = {
                    each.id: stringify(each.document())
                    for each in verbs_of(product, resource).list(limit=500)
                }
                assert there == {
                    each.id: self.model.text(resource, each, ours)
                    for each in self.model.of(resource, product.id)
                }

    def _act(self, expect: Callable[[], list[ExpectedEvent]], call: Callable[[], object]) -> None:
        self.model.now = printed(self.clock.now())
        try:
            expected = expect()
        except Refused:
            self._is_refused(call)
            return
        self.has_changed = True
        with record_events(self.leanbe) as events:
            made = call()
        if isinstance(made, Snapshot):
            self._is_as_it_is_now(made)
        said = [
            ExpectedEvent(product=each.product_id, name=each.name, text=each.payload_text)
            for each in events.events
        ]
        assert said == expected
        for each in events.events:
            self._is_in_order(each)
            self._is_well_formed(each)

    def _is_refused(self, call: Callable[[], object]) -> None:
        before = dump(self.leanbe._database)
        with pytest.raises(LeanbeError):
            call()
        assert dump(self.leanbe._database) == before

    def _is_as_it_is_now(self, made: Snapshot) -> None:
        readers = self.model.products.values()
        assert made.text in {
            self.model.text(resource, things[made.id], reader)
            for resource, things in self.model.things.items()
            if made.id in things
            for reader in readers
        }

    def _is_in_order(self, event: Event) -> None:
        last = self.last.get(event.product_id)
        assert event.sequence == (last.sequence if last else 0) + 1
        assert last is None or event.triggered_at > last.triggered_at
        if "updatedAt" in event.payload:
            assert printed(event.triggered_at) > event.payload["updatedAt"]
        self.last[event.product_id] = event

    def _is_well_formed(self, event: Event) -> None:
        text = event.payload_text
        self.texts.append(text)
        assert stringify(parse(text)) == text
        assumptions = parse_assumptions(self.model.products[event.product_id].assumptions)
        payload_validator(event.name, assumptions).validate(event.payload)

    def _product(self, where: int) -> tuple[Any, ModelProduct]:
        product = self.products[where % 2]
        return product, self.model.products[product.id]

    def _pick(self, resource: str, product: Product, which: int) -> ModelDocument | None:
        things = self.model.of(resource, product.id)
        return things[which % len(things)] if things else None

    def _new(self, new_id: str) -> Document:
        now = printed(self.clock.now())
        return {"_id": new_id, "createdAt": now, "updatedAt": now}

    def _new_customer(self) -> Document:
        return {
            **self._new(self.ids.upcoming(self.clock.now(), 1)[0]),
            "publicId": PUBLIC_ID,
            "image": {},
            "source": "Manual",
            "confirmed": False,
            "bgColor": COLOUR,
            "isTemporary": False,
            "devices": [],
            "billing_details": [],
            "notes": [],
        }

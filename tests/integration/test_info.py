"""Information on a handle and on the 22 events: the same in Python, typed, and over HTTP."""

from datetime import UTC, datetime

import pytest

import leanbe_emitter
from leanbe_emitter import InvalidValue, Leanbe, ManualClock, NotFound, Settings
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.api_client import open_api

URL = "http://127.0.0.1:9/hooks"


def test_a_handle_says_what_it_is_and_how_much_there_is() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    settings = Settings(assume={"backoff": "1s"})
    with Leanbe(clock=clock, settings=settings, assume={"max_attempts": "3"}) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL).ideas.create(title="Dark mode")
        told = leanbe.info().document()
    assert told == {
        "version": leanbe_emitter.__version__,
        "db": "sqlite://",
        "clock": {"kind": "manual", "now": "2026-01-01T00:00:00.000Z"},
        "counts": {
            "products": 1,
            "events": 1,
            "deliveries": {"pending": 1, "delivered": 0, "exhausted": 0, "cancelled": 0},
        },
        "assumptions": {"backoff": "1s", "max_attempts": "3"},
        "seedFile": None,
    }


def test_the_api_says_the_same(database_url: str) -> None:
    with open_api(database_url) as api:
        api("POST", "/products", {"name": "Acme"})
        told = api("GET", "/info").json()
        own = api.leanbe.info().document()
    told["clock"].pop("now")
    own["clock"].pop("now")
    assert told == {**own, "worker": False, "needsToken": False, "keep": None}
    assert told["counts"]["products"] == 1


def test_the_catalogue_has_the_22_in_python_too() -> None:
    with Leanbe() as leanbe:
        assert [each.name for each in leanbe.events.catalogue()] == list(EVENT_NAMES)


def test_a_schema_is_as_a_product_reads_the_article() -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", assume={"unset": "null"})
        schema = leanbe.events.schema("idea.created")
        assert schema["title"] == "idea.created"
        assert leanbe.events.schema("idea.created", product="Acme") != schema


def test_of_what_is_not_there_no_schema_is_shown() -> None:
    with Leanbe() as leanbe:
        with pytest.raises(InvalidValue, match=r"idea\.upvoted"):
            leanbe.events.schema("idea.upvoted")
        with pytest.raises(NotFound):
            leanbe.events.schema("idea.created", product="Acme")

"""The stream of rows: the last state of each delivery, a pulse, and what else has changed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from leanbe_emitter import Leanbe, TriggerRequest
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.server.http import row_feed, row_reader
from leanbe_emitter.server.http.change_notifier import ChangeNotifier
from leanbe_emitter.server.http.row_feed import RowFeed
from leanbe_emitter.server.http.row_reader import ALL, RowFilter
from leanbe_emitter.server.routes import stream
from leanbe_emitter.storage.queries.journal import START, Cursor
from tests.support.api_client import open_api
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import ScriptedTransport
from tests.support.waiting import PATIENCE_SECONDS

URL = "http://a.test/"

Message = dict[str, Any]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_feed, "BATCH_SECONDS", 0.01)
    monkeypatch.setattr(row_feed, "PULSE_SECONDS", 0.02)


@pytest.fixture
def leanbe(database_url: str) -> Iterator[Leanbe]:
    answer = Answer(status=503, reason="No", body=b"")
    with Leanbe(database_url, transport=ScriptedTransport(answer), clock="manual") as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        yield leanbe


class _Client:
    """A client of the stream, which puts the rows together like a page."""

    def __init__(self, texts: AsyncIterator[str]) -> None:
        self._texts = texts
        self.rows: dict[str, Message] = {}
        self.skipped = 0
        self.cursor = ""

    async def until(self, event: str, **data: Any) -> Message:
        """Read until a message of this name with these members comes, and return it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for text in self._texts:
                message = _read(text)
                if message.get("event") == "rows":
                    self.rows.update({row["_id"]: row for row in message["data"]["items"]})
                    self.skipped += message["data"]["skipped"]
                self.cursor = message.get("id", self.cursor)
                is_wanted = message.get("event") == event
                if is_wanted and message["data"].items() >= data.items():
                    return message
        raise AssertionError(f"The stream ended without {event} {data}.")


def _read(text: str) -> Message:
    fields = dict(line.split(": ", 1) for line in text.rstrip("\n").split("\n"))
    return {**fields, "data": json.loads(fields["data"])} if "data" in fields else fields


@asynccontextmanager
async def open_feed(leanbe: Leanbe) -> AsyncIterator[RowFeed]:
    notifier = ChangeNotifier(leanbe)
    yield RowFeed(leanbe, notifier)
    notifier.stop()


def listen(feed: RowFeed, *, after: Cursor = START, which: RowFilter = ALL) -> _Client:
    return _Client(stream.row_messages(feed, after=after, which=which))


async def trigger_elsewhere(db: str, *events: str, times: int = 1) -> None:
    """Trigger events with a second handle, like another process."""
    async with Leanbe(db, transport=ScriptedTransport()) as elsewhere:
        await elsewhere.trigger_all(TriggerRequest(events=events, times=times))


@run_in_loop
async def test_it_tells_the_last_state_of_what_any_process_did(
    leanbe: Leanbe, database_url: str
) -> None:
    async with open_feed(leanbe) as feed:
        client = listen(feed)
        await client.until("pulse")
        await trigger_elsewhere(database_url, "idea.created", "okr.created")
        # PostgreSQL shows a commit when older transactions, in any database, have ended.
        while Cursor.parse(client.cursor) < leanbe.journal.wait_cursor():
            await client.until("pulse")
        expected = leanbe.deliveries.rows()
        assert client.rows == {each.id: each.document() for each in expected}
        assert len(expected) == 2
        # A client that comes back with its last id gets what it missed, and no more.
        await trigger_elsewhere(database_url, "idea.deleted")
        again = listen(feed, after=Cursor.parse(client.cursor))
        await again.until("rows")
        assert [each["event"]["event"] for each in again.rows.values()] == ["idea.deleted"]


@run_in_loop
async def test_many_changes_are_one_message_of_the_last_ones(
    leanbe: Leanbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = TriggerRequest(events=["idea.created"], times=205)
    made = await leanbe.trigger_all(request, deliver=False)
    next(leanbe.journal.follow(START))
    newest = [each.require_delivery().id for each in made][-200:]
    async with open_feed(leanbe) as feed:
        client = listen(feed)
        message = await client.until("rows")
        assert [each["_id"] for each in message["data"]["items"]] == newest
        assert message["data"]["skipped"] == 5
        # Who is far behind reads on from batch to batch.
        await leanbe.trigger_all(replace(request, times=2), deliver=False)
        await client.until("rows")
        monkeypatch.setattr(row_reader, "MOST_FACTS", 1)
        late = listen(feed)
        while len(late.rows) < 202:
            await late.until("rows")
        assert late.skipped == 5


@run_in_loop
async def test_a_listener_gets_the_rows_of_its_product_and_its_events(leanbe: Leanbe) -> None:
    globex = leanbe.products.create("Globex", webhook_url=URL)
    async with open_feed(leanbe) as feed:
        which = RowFilter(product_id=globex.id, events={"idea.created"})
        client = listen(feed, which=which)
        await client.until("pulse")
        for product in ("Acme", "Globex"):
            for event in ("okr.created", "idea.created"):
                await leanbe.trigger(event, product=product)
        await client.until("rows")
        (row,) = client.rows.values()
        assert (row["event"]["event"], row["product"]) == ("idea.created", globex.id)


@run_in_loop
async def test_the_pulse_counts_what_happened_since_the_last_one(leanbe: Leanbe) -> None:
    async with open_feed(leanbe) as feed:
        client = listen(feed)
        await client.until("pulse")
        leanbe.faults.receiver_fails(times=2, event="okr.*")
        await leanbe.trigger("idea.created")
        counted = {"refused": 0, "unknown": 0, "delivered": 0}
        await leanbe.trigger("okr.created")
        pulse: Message = {}
        while not (counted["refused"] and counted["unknown"]):
            pulse = (await client.until("pulse"))["data"]
            for name in counted:
                counted[name] += pulse["outcomes"][name]
        assert counted == {"refused": 1, "unknown": 1, "delivered": 0}
        assert (pulse["clock"], pulse["due"], pulse["inFlight"]) == ("manual", 0, 0)
        await leanbe.clock.advance(seconds=5)
        later = await client.until("pulse", faults=0)
        assert later["data"]["now"] > pulse["now"]


@run_in_loop
async def test_it_names_what_else_was_changed_and_by_a_reset_all(
    leanbe: Leanbe, database_url: str
) -> None:
    acme = leanbe.products.get("Acme")
    async with open_feed(leanbe) as feed:
        client = listen(feed)
        await client.until("pulse")
        async with Leanbe(database_url) as elsewhere:
            acme_elsewhere = elsewhere.products.get("Acme")
            elsewhere.faults.not_delivered(must_fire=False)
            await client.until("changed", what="faults", product=None)
            elsewhere.webhooks.rotate("Acme")
            await client.until("changed", what="webhooks", product=acme.id)
            elsewhere.assumptions.set("max_attempts", "1", product="Acme")
            await client.until("changed", what="assumptions", product=acme.id)
            acme_elsewhere.users.create(email="ana@example.com", first_name="Ana")
            await client.until("changed", what="users", product=acme.id)
            elsewhere.clock.set(elsewhere.clock.now().replace(year=2030))
            await client.until("changed", what="clock", product=None)
            acme_elsewhere.ideas.create(title="Dark mode")
            await client.until("changed", what="ideas", product=acme.id)
            elsewhere.products.reset("Acme")
            await client.until("reset", product=acme.id)
            other = elsewhere.products.create("Globex")
            await client.until("changed", what="products", product=other.id)
            await elsewhere.reset()
            await client.until("reset", product=None)


@run_in_loop
async def test_listeners_share_what_is_read_and_end_with_the_server(leanbe: Leanbe) -> None:
    async with open_feed(leanbe) as feed:
        clients = [listen(feed) for _ in range(3)]
        await asyncio.gather(*(each.until("pulse") for each in clients))
        await leanbe.trigger("idea.created")
        texts = [(await each.until("rows"))["data"]["items"][0] for each in clients]
        assert texts[0] == texts[1] == texts[2]
    for each in clients:
        with pytest.raises(AssertionError, match="ended"):
            await each.until("rows")


def test_a_stream_of_rows_refuses_what_it_cannot_select() -> None:
    with open_api() as api:
        for path, status in (
            ("?view=row", 422),
            ("?event=idea.*", 422),
            ("?view=rows&event=nothing", 422),
            ("?view=rows&product=Nobody", 404),
            ("?view=rows&after=0-9-9", 422),
        ):
            assert api("GET", f"/stream{path}").status_code == status

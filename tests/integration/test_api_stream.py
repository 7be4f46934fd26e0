"""The stream: every message is in order, resumes where it ended, and holds up no stop."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from leanbe_emitter import Leanbe
from leanbe_emitter.server.http import change_notifier
from leanbe_emitter.server.http.change_notifier import ChangeNotifier, Listener
from leanbe_emitter.server.http.stream_batches import Batches
from leanbe_emitter.server.routes import stream
from leanbe_emitter.storage.queries.journal import START, Cursor
from tests.support.api_client import URL as API
from tests.support.api_client import open_api
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import ScriptedTransport
from tests.support.waiting import PATIENCE_SECONDS

URL = "http://a.test/"

Message = dict[str, Any]


@pytest.fixture
def leanbe(database_url: str) -> Iterator[Leanbe]:
    with Leanbe(database_url, transport=ScriptedTransport()) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        yield leanbe


def read(text: str) -> Message:
    """Return a message's fields."""
    fields = dict(line.split(": ", 1) for line in text.rstrip("\n").split("\n"))
    return {**fields, "data": json.loads(fields["data"])} if "data" in fields else fields


async def next_messages(messages: AsyncIterator[str], count: int) -> list[Message]:
    """Return the next messages with data."""
    told: list[Message] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for text in messages:
            message = read(text)
            if "data" in message:
                told.append(message)
            if len(told) == count:
                break
    return told


async def trigger_event(db: str, *events: str) -> None:
    """Trigger and deliver events with a second handle, like another process."""
    async with Leanbe(db, transport=ScriptedTransport()) as elsewhere:
        for event in events:
            await elsewhere.trigger(event)


@run_in_loop
async def test_it_masks_a_header_that_the_product_set(leanbe: Leanbe, database_url: str) -> None:
    leanbe.webhooks.set("Acme", URL, headers=[("Authorization", "Bearer t0ken")])
    await trigger_event(database_url, "idea.created")
    told = await next_messages(
        stream.messages(Batches(leanbe), ChangeNotifier(leanbe), after=START), 3
    )
    assert told[1]["data"]["request"]["headers"][-1] == ["Authorization", "********"]
    assert "t0ken" not in str(told)


@run_in_loop
async def test_it_tells_what_another_process_does_in_its_order(
    leanbe: Leanbe, database_url: str
) -> None:
    messages = stream.messages(
        Batches(leanbe), ChangeNotifier(leanbe), after=leanbe.journal.follow_cursor()
    )
    await anext(messages)
    hearing = asyncio.create_task(next_messages(messages, 3))
    await trigger_event(database_url, "idea.created")
    raised, made, settled = await hearing
    delivery = leanbe.deliveries.last()
    assert [each["event"] for each in (raised, made, settled)] == ["event", "attempt", "settled"]
    assert raised["data"] == {"delivery": delivery.id, **delivery.event.document()}
    assert (made["data"]["delivery"], made["data"]["outcome"]) == (delivery.id, "delivered")
    assert settled["data"] == {
        "delivery": delivery.id,
        "event": "idea.created",
        "status": "delivered",
    }


@run_in_loop
async def test_a_client_that_reconnects_with_the_last_id_misses_nothing(
    leanbe: Leanbe, database_url: str
) -> None:
    await trigger_event(database_url, "idea.created", "idea.upVoted")
    whole = await next_messages(
        stream.messages(Batches(leanbe), ChangeNotifier(leanbe), after=START), 6
    )
    for cut in range(1, len(whole)):
        with_id = [number for number, each in enumerate(whole[:cut]) if "id" in each]
        after = Cursor.parse(whole[with_id[-1]]["id"])
        missed = whole[with_id[-1] + 1 :]
        assert whole[cut] in missed
        assert (
            await next_messages(
                stream.messages(Batches(leanbe), ChangeNotifier(leanbe), after=after), len(missed)
            )
            == missed
        )


@run_in_loop
async def test_the_end_of_the_server_ends_it_at_once(leanbe: Leanbe) -> None:
    notifier = ChangeNotifier(leanbe)
    messages = stream.messages(Batches(leanbe), notifier, after=START)
    await anext(messages)
    ending = asyncio.create_task(next_messages(messages, 1))
    await asyncio.sleep(0)
    notifier.stop()
    assert await ending == []


@run_in_loop
async def test_a_stream_without_events_gives_a_sign_of_life(
    leanbe: Leanbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
    messages = stream.messages(
        Batches(leanbe), ChangeNotifier(leanbe), after=leanbe.journal.follow_cursor()
    )
    await anext(messages)
    assert (await anext(messages)).startswith(":")


class _Counting(ChangeNotifier):
    """A notifier that counts its notifications."""

    notifications = 0

    def notify(self) -> None:
        self.notifications += 1
        super().notify()


@pytest.fixture
def looking_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the notifier poll the journal once, and listeners look only when they are notified."""
    for name in ("POLL_SECONDS", "MAX_WAIT_SECONDS"):
        monkeypatch.setattr(change_notifier, name, 10 * PATIENCE_SECONDS)


async def wait_for_notification(listener: Listener) -> None:
    """Return at the next notification."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await listener.wait(10 * PATIENCE_SECONDS)


@pytest.mark.usefixtures("looking_once")
@pytest.mark.parametrize(
    ("path", "body"),
    [("/ideas", {"title": "Dark mode"}), ("/trigger", {"events": ["idea.created"]})],
    ids=["done together with others", "done alone"],
)
def test_the_server_tells_its_own_writes_without_polling(
    path: str, body: Message, database_url: str
) -> None:
    async def follow(app: Starlette) -> list[Message]:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=API)
        async with client, app.state.change_notifier.listener() as listener:
            await wait_for_notification(listener)
            answer = await client.post(f"/api/v1/products/Acme{path}", json=body)
            assert answer.is_success, answer.text
            await wait_for_notification(listener)
        after = Cursor.parse(answer.headers["Leanbe-Emitter-Cursor"])
        return await next_messages(
            stream.messages(Batches(api.leanbe), app.state.change_notifier, after=after), 1
        )

    with open_api(database_url, transport=ScriptedTransport()) as api:
        api.leanbe.products.create("Acme", webhook_url=URL)
        (told,) = asyncio.run(follow(api.app))
    assert (told["event"], told["data"]["event"]) == ("event", "idea.created")


@pytest.mark.usefixtures("looking_once")
@run_in_loop
async def test_many_commits_at_once_are_told_twice_at_the_most(leanbe: Leanbe) -> None:
    notifier = _Counting(leanbe)
    async with notifier.listener() as listener:
        await wait_for_notification(listener)
        before = notifier.notifications
        for _ in range(100):
            notifier.on_commit()
        await wait_for_notification(listener)
        for _ in range(100):
            notifier.on_commit()
        await wait_for_notification(listener)
    assert notifier.notifications - before == 2

from collections.abc import Callable

import pytest
from leanbe_emitter import Leanbe, Product
from syrupy.assertion import SnapshotAssertion

from news import ChangeNotifier

Page = Callable[[], ChangeNotifier]


def test_a_published_announcement_is_shown(
    leanbe: Leanbe, leanbe_product: Product, page: Page
) -> None:
    drafted = leanbe_product.announcements.create(title="Dark mode")
    leanbe_product.announcements.create(title="Not yet")
    leanbe_product.announcements.publish(drafted)
    leanbe.deliver()
    leanbe.assert_order(["announcement.created", "announcement.updated"])
    assert page()["announced"] == ["Dark mode"]


def test_a_deleted_announcement_is_shown_no_more(
    leanbe: Leanbe, leanbe_product: Product, page: Page
) -> None:
    published = leanbe_product.announcements.create(title="Dark mode", status="published")
    leanbe_product.announcements.delete(published)
    leanbe.deliver()
    leanbe.assert_delivered("announcement.deleted", payload={"title": "Dark mode"})
    assert page()["announced"] == []


@pytest.mark.anyio
async def test_a_test_that_is_asynchronous_awaits_what_waits(
    leanbe: Leanbe, leanbe_product: Product, page: Page
) -> None:
    leanbe_product.announcements.create(title="Dark mode", status="published")
    await leanbe.deliver()
    assert page()["announced"] == ["Dark mode"]


def test_work_is_news_each_time_that_it_is_done(
    leanbe: Leanbe, leanbe_product: Product, page: Page
) -> None:
    item = leanbe_product.backlog_items.create(title="Themes")
    for status in ("Done", "To Do", "Done"):
        leanbe_product.backlog_items.set_status(item, status)
    leanbe.deliver()
    leanbe.assert_delivered("backlogItem.statusChanged", times=3)
    assert page()["shipped"] == ["Themes", "Themes"]


def test_an_event_that_comes_again_is_no_news(leanbe: Leanbe, page: Page) -> None:
    change = {"title": "Themes", "status": "Done"}
    done = leanbe.trigger("backlogItem.statusChanged", set=change)  # to leanbe_receiver, at once
    done.redeliver(times=3)
    leanbe.assert_delivered("backlogItem.statusChanged", times=4)
    assert page()["shipped"] == ["Themes"]


def test_an_older_state_that_comes_late_changes_nothing(
    leanbe: Leanbe, leanbe_product: Product, page: Page
) -> None:
    leanbe.faults.receiver_fails(how="status:503")
    drafted = leanbe_product.announcements.create(title="Dork mode")
    leanbe.clock.advance(seconds=1)  # in which the first attempt fails
    leanbe_product.announcements.update(drafted, title="Dark mode")
    leanbe_product.announcements.publish(drafted)
    leanbe.clock.advance(hours=1)
    leanbe.assert_order(["announcement.updated", "announcement.updated", "announcement.created"])
    assert page()["announced"] == ["Dark mode"]


@pytest.mark.parametrize("forgery", ["wrong_secret", "tampered_payload", "missing_signature"])
def test_an_unsigned_or_forged_event_is_refused(leanbe: Leanbe, page: Page, forgery: str) -> None:
    leanbe.faults.add(forgery)
    leanbe.trigger("announcement.created", set={"status": "published"})
    leanbe.assert_refused("announcement.created")
    assert page()["announced"] == []


def test_an_event_that_nobody_knows_is_accepted(leanbe: Leanbe, page: Page) -> None:
    leanbe.faults.unknown_event()
    leanbe.trigger("announcement.created", set={"status": "published"})
    leanbe.assert_delivered("announcement.created")
    assert page()["announced"] == []


def test_an_outage_delays_an_event_and_keeps_its_bytes(leanbe: Leanbe) -> None:
    leanbe.faults.receiver_fails(how="refused")
    leanbe.trigger("backlogItem.statusChanged", payload={"title": "Themes", "status": "Done"})
    leanbe.clock.advance(minutes=1)
    assert leanbe.deliveries.snapshot() == [
        {
            "event": "backlogItem.statusChanged",
            "status": "delivered",
            "url": "http://testserver/hooks/leanbe",
            "body": (
                '{"payload":{"title":"Themes","status":"Done"},"event":"backlogItem.statusChanged",'
                '"triggeredAt":"2026-01-01T00:00:00.000Z","signature":'
                '"3ec85abeff55c5b2b40fed24da3aec5b4cbf0fa0890fcc6518a2c6050237b160"}'
            ),
            "attempts": [
                {
                    "outcome": "unreachable",
                    "answerStatus": None,
                    "startedAt": "2026-01-01T00:00:00.000Z",
                    "fault": "receiver_fails:refused",
                },
                {
                    "outcome": "delivered",
                    "answerStatus": 204,
                    "startedAt": "2026-01-01T00:00:05.000Z",
                },
            ],
        }
    ]


def test_a_launch_sends_its_events_with_these_bytes(
    leanbe: Leanbe, leanbe_product: Product, snapshot: SnapshotAssertion
) -> None:
    item = leanbe_product.backlog_items.create(title="Themes")
    leanbe_product.backlog_items.set_status(item, "Done")
    leanbe_product.announcements.create(title="Dark mode", status="published")
    leanbe.deliver()
    assert leanbe.deliveries.snapshot() == snapshot

from collections.abc import Callable
from dataclasses import replace

from leanbe_emitter import Leanbe, Product
from leanbe_emitter.testing import Receiver

from news import News

Page = Callable[[], News]


def test_what_is_published_is_shown(leanbe: Leanbe, leanbe_product: Product, page: Page) -> None:
    drafted = leanbe_product.announcements.create(title="Dark mode")
    leanbe_product.announcements.create(title="Not yet")
    leanbe_product.announcements.publish(drafted)
    leanbe.deliver()
    leanbe.assert_order(["announcement.created", "announcement.updated"])
    assert page()["announced"] == ["Dark mode"]


def test_what_is_deleted_is_shown_no_more(
    leanbe: Leanbe, leanbe_product: Product, page: Page
) -> None:
    published = leanbe_product.announcements.create(title="Dark mode", status="published")
    leanbe_product.announcements.delete(published)
    leanbe.deliver()
    leanbe.assert_delivered("announcement.deleted", payload={"title": "Dark mode"})
    assert page()["announced"] == []


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


def test_what_leanbe_did_not_sign_is_refused(
    leanbe: Leanbe, leanbe_receiver: Receiver, page: Page
) -> None:
    forger = replace(leanbe_receiver, secret="whsec_of_somebody_else").product(leanbe, "Forger")
    leanbe.trigger("announcement.created", product=forger, set={"status": "published"})
    leanbe.assert_refused("announcement.created", status=401)
    assert page()["announced"] == []


def test_other_events_are_accepted(leanbe: Leanbe, page: Page) -> None:
    leanbe.trigger("okr.created")
    leanbe.assert_delivered("okr.created")
    assert page() == {"announced": [], "shipped": []}

"""Waiting for, and following, what another process does."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from leanbe_emitter import (
    Entry,
    Filter,
    InvalidValue,
    Leanbe,
    Product,
    TriggerRequest,
    WaitTimedOut,
)
from leanbe_emitter.storage.queries.journal import Cursor
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import PATIENCE_SECONDS


@contextmanager
def other_process(db: str, *command: str) -> Iterator[None]:
    """Let another process act on the database meanwhile."""
    arguments = [sys.executable, "-m", "tests.support.delivering_process", db, *command]
    with subprocess.Popen(arguments) as process:
        yield
        assert process.wait(PATIENCE_SECONDS) == 0


def record(leanbe: Leanbe, *events: str) -> None:
    """Record events without delivering them."""
    leanbe.trigger_all(TriggerRequest(events=events), deliver=False)


@pytest.fixture
def shared(database_url: str, receiver: LoopbackReceiver) -> Iterator[tuple[Leanbe, str]]:
    """A Leanbe whose database others can open, with a product; and the database's URL."""
    with Leanbe(database_url) as leanbe:
        leanbe.products.create(
            "Acme", webhook_url=receiver.url, assume={"backoff": "1ms", "max_attempts": "2"}
        )
        yield leanbe, database_url


def test_waiting_ends_when_another_process_has_delivered(shared: tuple[Leanbe, str]) -> None:
    leanbe, db = shared
    record(leanbe, "idea.created", "idea.updated", "okr.created")
    with other_process(db, "drain"):
        found = leanbe.deliveries.wait_for(
            Filter(event="idea.*"), count=2, timeout_seconds=PATIENCE_SECONDS
        )
        assert {each.event.name for each in found} == {"idea.created", "idea.updated"}
        assert all(each.delivered for each in found)
        leanbe.wait_until_idle(timeout_seconds=PATIENCE_SECONDS)
    assert leanbe.due().count == 0


def test_without_a_status_whatever_is_settled_is_waited_for(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.assumptions.set("max_attempts", "1", product=product)
    receiver.statuses.append(500)
    leanbe.trigger("idea.created")
    record(leanbe, *["idea.updated"] * 30)
    (found,) = leanbe.deliveries.wait_for(Filter(), timeout_seconds=0)
    assert (found.event.name, found.status) == ("idea.created", "exhausted")
    pending = leanbe.deliveries.wait_for(Filter(status="pending"), count=30, timeout_seconds=0)
    assert len(pending) == 30


def test_a_wait_that_takes_too_long_says_what_came(leanbe: Leanbe, product: Product) -> None:
    leanbe.trigger("idea.created", product=product)
    with pytest.raises(WaitTimedOut, match="1 of 2 deliveries came"):
        leanbe.deliveries.wait_for(Filter(event="idea.*"), count=2, timeout_seconds=0.1)
    record(leanbe, "idea.updated")
    with pytest.raises(WaitTimedOut, match="still due"):
        leanbe.wait_until_idle(timeout_seconds=0.1)


def test_a_wait_for_nothing_is_refused(leanbe: Leanbe) -> None:
    for which, count in ((Filter(), 0), (Filter(event="nonsense"), 1), (Filter(status="no"), 1)):
        with pytest.raises(InvalidValue):
            leanbe.deliveries.wait_for(which, count=count, timeout_seconds=PATIENCE_SECONDS)


def entry_facts(entries: list[Entry]) -> list[tuple[str, str, str]]:
    """Return kind, event name, and what came of it, of each entry."""
    return [
        (
            entry.kind,
            entry.event.name,
            entry.status or (entry.attempt.outcome if entry.attempt else ""),
        )
        for entry in entries
    ]


def test_the_journal_follows_another_process_in_order(
    shared: tuple[Leanbe, str], receiver: LoopbackReceiver
) -> None:
    leanbe, db = shared
    receiver.statuses.extend([500, 204, 204])
    start = leanbe.journal.follow_cursor()
    leanbe.trigger_all(TriggerRequest(events=["okr.deleted"]))
    # Read first: what an open transaction of anybody holds back would still be to come.
    assert len(list(itertools.islice(leanbe.journal.follow(start), 2))) == 2
    follower = leanbe.journal.follow()
    with (
        ThreadPoolExecutor(1) as thread,
        other_process(db, "trigger", "idea.created", "okr.created"),
    ):
        following = thread.submit(lambda: list(itertools.islice(follower, 4)))
        entries = following.result(PATIENCE_SECONDS)
    assert entry_facts(entries) == [
        ("event", "idea.created", ""),
        ("event", "okr.created", ""),
        ("attempt", "idea.created", "delivered"),
        ("attempt", "okr.created", "delivered"),
    ]
    assert entries == sorted(entries, key=lambda entry: entry.cursor)


def test_a_cursor_goes_on_where_it_was_left(leanbe: Leanbe, receiver: LoopbackReceiver) -> None:
    start = leanbe.journal.follow_cursor()
    product = leanbe.products.create("Acme", webhook_url=receiver.url)
    receiver.statuses.append(500)
    leanbe.trigger("idea.created")
    leanbe.webhooks.clear(product)
    leanbe.trigger_all(TriggerRequest(events=["idea.updated"]))
    # Followed, because an open transaction of anybody holds back what can be read on PostgreSQL.
    entries = list(itertools.islice(leanbe.journal.follow(start), 4))
    assert entry_facts(entries) == [
        ("event", "idea.created", ""),
        ("attempt", "idea.created", "refused"),
        ("settled", "idea.created", "cancelled"),
        ("event", "idea.updated", ""),
    ]
    assert entries[3].delivery is None
    assert entry_facts(list(leanbe.journal.next(entries[1].cursor)[0])) == entry_facts(entries[2:])
    assert next(leanbe.journal.follow(entries[0].cursor)).kind == "attempt"
    assert leanbe.journal.next(leanbe.journal.follow_cursor())[0] == []


@pytest.mark.parametrize("ahead", ["99999999999-0-0", "0-99999999999-0"])
def test_a_cursor_that_was_never_handed_out_is_not_followed(leanbe: Leanbe, ahead: str) -> None:
    with pytest.raises(InvalidValue, match=f"'{ahead}' lies beyond the end"):
        leanbe.journal.follow(Cursor.parse(ahead))


def test_entries_whose_events_are_gone_do_not_stop_who_follows(leanbe: Leanbe) -> None:
    start = leanbe.journal.follow_cursor()
    leanbe.products.create("Acme")
    leanbe.trigger_all(TriggerRequest(events=["idea.created"], times=600))
    with leanbe._transactions.acting() as action:
        action.session.connection().exec_driver_sql("DELETE FROM events")
    leanbe.trigger_all(TriggerRequest(events=["okr.created"]))
    assert next(leanbe.journal.follow(start)).event.name == "okr.created"

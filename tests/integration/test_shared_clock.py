"""The manual clock of a database: one time for every process, and retries wait for it alone."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from leanbe_emitter import Conflict, InvalidValue, Leanbe, TriggerRequest, WaitTimedOut
from leanbe_emitter.clock import MANUAL, SYSTEM, milliseconds_of, to_milliseconds
from leanbe_emitter.delivery.queue_types import Settlement
from leanbe_emitter.delivery.worker.foreground import ONE
from leanbe_emitter.library import Attempt
from leanbe_emitter.library.runtime.awaitables import Results
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.stored_clock import StoredClock, clock_of
from leanbe_emitter.storage.schema.tables import ClockRow
from tests.support.concurrency import call_at_once, until_somebody_waits
from tests.support.engine_setup import Bench, settlement_of
from tests.support.event_loops import run_in_loop
from tests.support.recorded_statements import record_statements
from tests.support.reused_databases import Databases
from tests.support.scripted_transport import ScriptedTransport
from tests.support.waiting import async_wait_until, wait_until

START = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def open_database_again(db: str, *, clock: str | None = None) -> Iterator[Leanbe]:
    """Open a database as a process of its own would."""
    with Leanbe(db, clock=clock, transport=ScriptedTransport()) as leanbe:  # type: ignore[arg-type]
        yield leanbe


#: Ends all connections to this database but the one that says so.
_HANGING_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def leanbe(database_url: str) -> Iterator[Leanbe]:
    with open_database_again(database_url, clock="manual") as leanbe:
        leanbe.clock.set(START)
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        yield leanbe


@pytest.fixture
def other(leanbe: Leanbe, database_url: str) -> Iterator[Leanbe]:
    del leanbe
    with open_database_again(database_url) as other:
        yield other


def test_every_handle_on_the_database_has_its_time(leanbe: Leanbe, other: Leanbe) -> None:
    assert (other.clock.kind, other.clock.now()) == ("manual", START)
    other.clock.advance(hours=1)
    assert leanbe.clock.now() == START + timedelta(hours=1)


def test_documents_are_listed_as_they_were_made_whichever_process_made_them(
    leanbe: Leanbe, other: Leanbe
) -> None:
    titles = [str(number) for number in range(8)]
    acme = leanbe.products.get("Acme")
    for handle, title in zip((leanbe, other) * 4, titles, strict=True):
        acme = handle.products.get("Acme")
        email = f"ana{title}@example.com"
        acme.customers.create(email=email)
        acme.ideas.create(title=title)
        acme.idea_requests.create(title=title, customer=email)
        acme.backlog_items.create(title=title)
        acme.okrs.create(title=title)
        acme.announcements.create(title=title)
        handle.products.create(title)
    lists = (
        *(acme.ideas.list(), acme.idea_requests.list(), acme.backlog_items.list()),
        *(acme.okrs.list(), acme.announcements.list()),
    )
    assert [[each.title for each in some] for some in lists] == [titles] * 5
    emails = [f"ana{title}@example.com" for title in titles]
    assert [each.email for each in acme.customers.list()] == emails
    assert [each.name for each in leanbe.products.list()] == ["Acme", *titles]


def test_its_milliseconds_follow_it(leanbe: Leanbe, database_url: str) -> None:
    database = Database(database_url)
    clock = clock_of(database)
    assert isinstance(clock, StoredClock)
    with closing(database), closing(clock):
        tell = milliseconds_of(clock)
        assert tell() == to_milliseconds(START)
        leanbe.clock.advance(seconds=1)
        assert tell() == to_milliseconds(START) + 1000


def test_timestamps_follow_it(leanbe: Leanbe, other: Leanbe) -> None:
    leanbe.clock.advance(days=1)
    delivery = other.trigger("idea.created")
    assert delivery.event.triggered_at - START == timedelta(days=1)
    assert delivery.attempts[0].started_at - START == timedelta(days=1)


def test_a_retry_waits_for_it_and_what_is_due_does_not(leanbe: Leanbe, other: Leanbe) -> None:
    leanbe.faults.receiver_fails(how="refused")
    delivery = leanbe.trigger("idea.created")
    assert other.deliver() == []
    leanbe.clock.set(START + timedelta(seconds=5))
    assert [each.outcome for each in other.deliver()] == ["delivered"]
    assert leanbe.deliveries.get(delivery).delivered


def test_a_failed_wait_names_the_call_that_moves_the_clock_by_whole_seconds(leanbe: Leanbe) -> None:
    leanbe.faults.receiver_fails(how="refused")
    delivery = leanbe.trigger("idea.created")
    leanbe.clock.advance(seconds=0.5)
    with pytest.raises(WaitTimedOut) as raised:
        leanbe.deliveries.wait_for("idea.created", timeout_seconds=0)
    hints = raised.value.hints
    ways = {
        "leanbe.clock.advance(seconds=5)": hints.call,
        "leanbe-emitter clock advance 5s": hints.command,
        'POST /api/v1/clock/advance {"seconds": 5}': hints.request,
    }
    for way, hint in ways.items():
        assert f"The clock is manual: {way} moves it there." in hint
    leanbe.clock.advance(seconds=5)
    assert leanbe.deliveries.get(delivery).delivered


def test_following_ends_where_the_clock_has_to_be_moved_first(
    leanbe: Leanbe, other: Leanbe
) -> None:
    leanbe.faults.receiver_fails(how="refused", times=2)
    delivery = leanbe.trigger("idea.created")
    with pytest.raises(WaitTimedOut, match="the time stands still") as raised:
        leanbe.follow([delivery])
    assert "The clock is manual: leanbe.clock.advance(seconds=5) moves" in raised.value.hint
    leanbe.clock.set(START + timedelta(seconds=5))
    with pytest.raises(WaitTimedOut):
        other.follow([delivery])
    other.clock.advance(seconds=30)
    leanbe.follow([delivery])
    assert leanbe.deliveries.get(delivery).delivered
    assert len(leanbe.deliveries.get(delivery).attempts) == 3


def test_following_ends_where_what_has_to_end_first_waits_for_the_clock(
    leanbe: Leanbe, other: Leanbe
) -> None:
    leanbe.assumptions.set("ordering", "strict", product="Acme")
    leanbe.faults.receiver_fails(how="refused")
    first = leanbe.trigger("idea.created")
    (triggered,) = leanbe.trigger_all(TriggerRequest(events=["idea.updated"]), deliver=False)
    held = triggered.require_delivery()
    with pytest.raises(WaitTimedOut, match="the time stands still") as raised:
        leanbe.follow([held])
    assert raised.value.hint.startswith(f"idea.updated  …{held.id[-6:]}  pending, never attempted;")
    assert (
        f"before it comes (ordering = strict) idea.created  …{first.id[-6:]}" in raised.value.hint
    )
    assert "The clock is manual: leanbe.clock.advance(seconds=5) moves" in raised.value.hint
    leanbe.clock.set(START + timedelta(seconds=5))
    claimed = other._engine.queue.claim_one(first.id)
    leanbe._require_attemptable([held.id])
    other._engine.queue.release([claimed] if claimed else [])
    leanbe._require_attemptable([held.id])
    leanbe.follow([first, held])
    assert [each.delivered for each in leanbe.deliveries.of([first.id, held.id])] == [True, True]


def test_follow_waits_for_deliveries_in_flight_in_another_process(
    leanbe: Leanbe, other: Leanbe
) -> None:
    (triggered,) = leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
    (claimed,) = other._engine.queue.claim(ONE)
    leanbe._require_attemptable([claimed.delivery_id])
    other._engine.queue.release([claimed])
    assert triggered.delivery is not None
    leanbe.follow([triggered.delivery])
    assert leanbe.deliveries.get(triggered.delivery).delivered


def test_a_failed_wait_for_a_dead_process_names_the_end_of_its_lease(
    leanbe: Leanbe, other: Leanbe
) -> None:
    def hint() -> str:
        with pytest.raises(WaitTimedOut) as raised:
            leanbe.deliveries.wait_for("idea.created", timeout_seconds=0)
        return raised.value.hint

    leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
    assert len(other._engine.queue.claim(ONE)) == 1
    told = "if its worker is gone, it is due again when its lease ends, at "
    assert re.search(rf"attempt 1 is in flight; {told}[-0-9T:.]+Z by the machine's clock\.", hint())
    with leanbe._database.transaction() as session:
        session.execute(text("UPDATE deliveries SET lease_until = 1000"))
    told = "1970-01-01T00:00:01.000Z by the machine's clock: is a worker running?"
    assert f"attempt 1 is lost, as its lease ended at {told}" in hint()


def test_advancing_makes_retries_at_their_own_time_in_their_order(leanbe: Leanbe) -> None:
    leanbe.faults.receiver_fails(how="refused", times=3)
    leanbe.trigger("idea.created")
    leanbe.trigger("idea.upVoted")
    attempts = leanbe.clock.advance(hours=1)
    assert [(each.started_at - START).seconds for each in attempts] == [5, 5, 35]
    assert leanbe.clock.now() == START + timedelta(hours=1)


def test_earlier_attempts_are_not_returned_though_somebody_elses_transaction_is_open(
    databases: Databases,
) -> None:
    with databases.empty() as url, open_database_again(url, clock="manual") as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        leanbe.faults.receiver_fails(how="refused")
        with leanbe._database.engine.begin() as somebody_else:
            somebody_else.execute(text("SELECT pg_current_xact_id()"))
            leanbe.trigger("idea.created")
            attempts = leanbe.clock.advance(hours=1)
    assert [each.outcome for each in attempts] == ["delivered"]


@run_in_loop
async def test_attempts_of_workers_on_the_way_are_returned_too(
    leanbe: Leanbe, database_url: str
) -> None:
    leanbe.faults.receiver_fails(how="refused", times=3)
    await leanbe.trigger("idea.created")
    with_worker = Leanbe(database_url, transport=ScriptedTransport())
    async with with_worker, with_worker.working():
        attempts = await leanbe.clock.run_until_settled()
        again = await leanbe.clock.run_until_settled()
    assert [each.outcome for each in attempts] == ["unreachable", "unreachable", "delivered"]
    assert again == []
    assert leanbe.clock.now() == START + timedelta(seconds=155)


@run_in_loop
async def test_a_worker_makes_at_once_what_is_due_when_it_was_set(
    leanbe: Leanbe, database_url: str
) -> None:
    leanbe.faults.receiver_fails(how="refused")
    delivery = await leanbe.trigger("idea.created")
    with_worker = Leanbe(database_url, transport=ScriptedTransport())
    async with with_worker, with_worker.working():
        leanbe.clock.set(START + timedelta(minutes=1))
        await async_wait_until(
            lambda: leanbe.deliveries.get(delivery).delivered, "the retry is made"
        )
    assert leanbe.deliveries.get(delivery).attempts[-1].started_at >= START + timedelta(minutes=1)


def test_a_lease_lasts_however_far_it_is_moved(leanbe: Leanbe, other: Leanbe) -> None:
    queue = leanbe._engine.queue
    lease = queue.new_lease()
    other.clock.advance(days=1)
    assert 0 <= queue.new_lease().until - lease.until < 20_000


def test_the_machines_clock_of_a_database_cannot_be_moved(database_url: str) -> None:
    with open_database_again(database_url) as leanbe:
        assert leanbe.clock.kind == "system"
        for move in (lambda: leanbe.clock.set(START), lambda: leanbe.clock.advance(hours=1)):
            with pytest.raises(Conflict, match="cannot be moved"):
                move()


def test_it_can_be_the_machines_again(leanbe: Leanbe, other: Leanbe, database_url: str) -> None:
    with open_database_again(database_url, clock="system") as machines:
        assert machines.clock.kind == "system"
    assert other.clock.now() > START + timedelta(days=30)
    assert (leanbe.clock.kind, other.clock.kind) == ("system", "system")
    with pytest.raises(Conflict, match="cannot be moved"):
        leanbe.clock.set(START)


def test_setting_a_clock_that_became_the_system_clock_is_a_conflict(
    leanbe: Leanbe, database_url: str
) -> None:
    assert isinstance(leanbe._clock, StoredClock)
    with open_database_again(database_url, clock="system"), pytest.raises(Conflict, match="by now"):
        leanbe._clock.set(START)


@run_in_loop
async def test_a_worker_learns_that_somebody_made_it_manual(database_url: str) -> None:
    async with Leanbe(database_url, transport=ScriptedTransport()) as early, early.working():
        assert early.clock.kind == "system"
        async with Leanbe(database_url, clock="manual") as manual:
            manual.clock.set(START)
            await async_wait_until(
                lambda: early.clock.now() == START, "it goes by the manual clock"
            )
            early.faults.receiver_fails(how="refused")
            early.products.create("Acme", webhook_url="http://a.test/").ideas.create(title="A map")
            await async_wait_until(
                lambda: bool(early.deliveries.last().attempts), "the first attempt is made"
            )
            assert early.deliveries.last().next_due_at == START + timedelta(seconds=5)
            manual.clock.set(START + timedelta(seconds=5))
            await async_wait_until(lambda: early.deliveries.last().delivered, "the retry is made")


def follow(leanbe: Leanbe) -> None:
    with suppress(WaitTimedOut):
        leanbe.follow([leanbe.deliveries.last()])


def take_turns(leanbe: Leanbe) -> None:
    """Settle and claim as a worker does that is never at rest."""
    ended = list[Settlement]()
    while claimed := leanbe._engine.queue.poll(ended, ONE).claimed:
        ended = [settlement_of(each) for each in claimed]


@pytest.mark.parametrize("make_what_is_due", [Leanbe.deliver, follow, take_turns])
def test_delivering_by_the_system_clock_notices_that_another_process_set_a_manual_clock(
    database_url: str, make_what_is_due: Callable[[Leanbe], object]
) -> None:
    with (
        open_database_again(database_url) as early,
        open_database_again(database_url, clock="manual") as manual,
    ):
        manual.clock.set(START)
        early.faults.receiver_fails(how="refused")
        early.products.create("Acme", webhook_url="http://a.test/")
        retried = early.trigger("idea.created")
        put_off(early, START + timedelta(seconds=5))
        make_what_is_due(early)
        assert len(early.deliveries.get(retried).attempts) == 1
        assert early.clock.now() == START
        manual.clock.set(START + timedelta(seconds=5))
        make_what_is_due(early)
        assert early.deliveries.get(retried).delivered


def put_off(leanbe: Leanbe, instant: datetime) -> None:
    """Let all retries be due then."""
    statement = text("UPDATE deliveries SET due_at = :at WHERE state = 'waiting'")
    with leanbe._database.transaction() as session:
        session.execute(statement, {"at": to_milliseconds(instant)})


def test_asking_for_the_kind_notices_that_another_process_set_a_manual_clock(
    database_url: str,
) -> None:
    with (
        open_database_again(database_url) as early,
        open_database_again(database_url, clock="manual") as manual,
    ):
        manual.clock.set(START)
        assert early.clock.now() > START
        assert early.clock.kind == "manual"
        assert early.clock.now() == START
        early.clock.advance(hours=1)
        assert manual.clock.now() == START + timedelta(hours=1)


def test_its_ids_go_on_behind_those_of_others_once_it_is_manual(database_url: str) -> None:
    with (
        open_database_again(database_url) as early,
        open_database_again(database_url, clock="manual") as manual,
    ):
        assert early.clock.kind == "manual"
        titles = [str(number) for number in range(8)]
        acme = manual.products.create("Acme")
        for handle, title in zip((early, manual) * 4, titles, strict=True):
            handle.products.get("Acme").ideas.create(title=title)
        assert [each.title for each in acme.ideas.list()] == titles


def test_a_manual_clock_goes_on_where_it_stands(leanbe: Leanbe, database_url: str) -> None:
    with open_database_again(database_url, clock="manual") as again:
        assert again.clock.now() == leanbe.clock.now() == START


def test_processes_that_set_a_manual_clock_at_once_share_one(postgresql_ready: str) -> None:
    with open_database_again(postgresql_ready) as first, ThreadPoolExecutor(1) as thread:
        with first._database.transaction() as session:
            session.add(ClockRow(id=1, now_at=(at := to_milliseconds(START)), begun_at=at))
            session.flush()
            second = thread.submit(clock_of, first._database, MANUAL)
            until_somebody_waits(postgresql_ready)
        clock = second.result()
    assert isinstance(clock, StoredClock)
    assert clock.now() == START
    clock.close()


@pytest.mark.parametrize(
    ("wanted", "told"),
    [([SYSTEM], 0), ([MANUAL], 1), ([MANUAL] * 2, 1), ([MANUAL, SYSTEM, SYSTEM], 2)],
    ids=str,
)
def test_workers_are_told_where_whose_it_is_has_changed(
    database: Database, wanted: list[str], told: int
) -> None:
    tellings = list[bool]()
    with database.notifying(lambda: tellings.append(True)):
        for each in wanted:
            clock = clock_of(database, each)
            assert isinstance(clock, StoredClock)
            clock.close()
    assert len(tellings) == told


def test_a_step_from_where_it_no_longer_stands_is_not_made(leanbe: Leanbe, other: Leanbe) -> None:
    assert isinstance(leanbe._clock, StoredClock)
    now, hour = leanbe.clock.now(), timedelta(hours=1)
    other.clock.advance(hours=2)
    assert not leanbe._clock.move_from(now, to=now + hour)
    assert other.clock.now() == START + 2 * hour
    assert leanbe._clock.move_from(now + 2 * hour, to=now + 3 * hour)
    assert other.clock.now() == START + 3 * hour


def test_moves_of_the_clock_at_once_add_up(
    leanbe: Leanbe, other: Leanbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deliver() -> Results[Attempt]:
        if not others:
            others.append(START)
            others.extend(each.started_at for each in other.clock.advance(minutes=10))
        return leanbe.deliver()

    others = list[datetime]()
    monkeypatch.setattr(leanbe.clock, "_deliver", deliver)
    leanbe.faults.receiver_fails(how="refused", times=2)
    leanbe.trigger("idea.created")
    leanbe.trigger("idea.upVoted")
    leanbe.clock.advance(minutes=10)
    assert others == [START, *[START + timedelta(seconds=5)] * 2]
    assert leanbe.clock.now() == START + timedelta(minutes=20)


def test_a_clock_that_there_is_not_is_refused(database_url: str) -> None:
    with (
        pytest.raises(InvalidValue, match="'sundial' is no clock"),
        open_database_again(database_url, clock="sundial"),
    ):
        pass


def test_while_the_database_is_away_it_stands_where_it_was_seen(
    leanbe: Leanbe, tmp_path: Path
) -> None:
    leanbe.clock.now()
    clock = leanbe._clock
    assert isinstance(clock, StoredClock)
    clock.close()
    clock._database = Database(f"sqlite:///{tmp_path / 'gone' / 'test.db'}")
    assert clock.now() == START


def test_it_has_been_seen_by_who_found_that_it_is_manual(leanbe: Leanbe, tmp_path: Path) -> None:
    clock = clock_of(leanbe._database)
    assert isinstance(clock, StoredClock)
    clock._database = Database(f"sqlite:///{tmp_path / 'gone' / 'test.db'}")
    assert clock.now() == START


def test_kind_returns_what_its_own_query_found(leanbe: Leanbe) -> None:
    class Passed(StoredClock):
        def look(self, session: Session) -> bool:
            found = super().look(session)
            self.stands_still = not found
            return found

    with closing(Passed(leanbe._database)) as clock:
        assert clock.is_manual()


def test_when_the_database_is_back_it_is_asked_again(postgresql_bench: Bench) -> None:
    url = postgresql_bench.database.url.render_as_string(hide_password=False)
    with open_database_again(url, clock="manual") as leanbe, open_database_again(url) as other:
        leanbe.clock.now()
        with postgresql_bench.database.transaction() as session:
            session.execute(text(_HANGING_UP))
        wait_until(lambda: connections(postgresql_bench.database) == 1, "nobody else is connected")
        stood = leanbe.clock.now()
        other.clock.set(stood + timedelta(hours=1))
        assert leanbe.clock.now() == stood + timedelta(hours=1)


def connections(database: Database) -> int:
    """Count those to this database."""
    ours = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with database.reading() as session:
        return int(session.execute(ours).scalar_one())


def test_however_many_ask_first_it_is_asked_by_one_handle_of_its_own(database_url: str) -> None:
    class Counted(Database):
        def new_handle(self) -> Database:
            handles.append(super().new_handle())
            return handles[-1]

    handles = list[Database]()
    with closing(Counted(database_url)) as database, closing(StoredClock(database)) as clock:
        # So early that first askers at the same moment find it.
        assert len(handles) == 1
        call_at_once(*[clock.is_manual] * 4)
    assert len(handles) == 1


def test_of_the_machines_clock_no_statement_is_sent_where_no_retry_is_due(
    database_url: str,
) -> None:
    with open_database_again(database_url) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        with record_statements(leanbe._database) as noted:
            leanbe.trigger("idea.created")
            leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
            take_turns(leanbe)
        assert leanbe.deliveries.last().delivered
    assert not [each for each in noted.sent if "manual_clock" in each]


def test_a_delivery_that_is_being_claimed_is_counted_as_active(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    bench.enqueue(bench.product())
    queue = bench.queue()
    assert queue.count_active() == 0
    with bench.database.transaction() as claiming:
        claiming.execute(text("SELECT id FROM deliveries FOR UPDATE"))
        assert queue.count_active() == 1
    assert queue.count_active() == 0
    queue.claim(ONE)
    assert queue.count_active() == 1

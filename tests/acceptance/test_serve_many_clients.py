"""Two hundred clients act at once: no error, no event lost, whoever resets or kills meanwhile.

The suite's run is short; ``LEANBE_TESTS_SECONDS=60`` makes it the real one, and
``pytest -rP`` shows how long its answers took.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from leanbe_emitter import verify
from leanbe_emitter.clock import stopwatch
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.schema.document_tables import (
    AnnouncementRow,
    BacklogItemRow,
    CustomerRow,
    IdeaRequestRow,
    IdeaRow,
)
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from tests.support.load_clients import ClientLoad
from tests.support.recording_receiver import RecordingReceiver
from tests.support.server_process import RunningServer, run_server
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

CLIENTS = 200
SECONDS = float(os.environ.get("LEANBE_TESTS_SECONDS", "0.3"))
#: How long a run may take on a busy machine, with all that it brought about.
PATIENCE_SECONDS = 60 + 10 * SECONDS
SECRET = "whsec_test"

#: What the server begins with, and again behind each reset.
SEED = """
products:
  - name: Acme
    webhook: {{url: "{url}", secret: {secret}}}
    ideas: [{{title: Seeded}}]
"""

Events = Counter[tuple[str, str]]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[RecordingReceiver]:
    with RecordingReceiver.running(tmp_path, delay_ms=0) as recorder:
        yield recorder


def prepare(served: RunningServer, url: str) -> None:
    """Make the product that all act on."""
    webhook = {"url": url, "secret": SECRET}
    made = served.client.post("/products", json={"name": "Acme", "webhook": webhook})
    assert made.status_code == 201, made.text


def wait_while(crowd: ClientLoad, *, acknowledged: int = 0) -> None:
    """Let a crowd act for so long, and until so many of its actions are acknowledged."""
    over_at = stopwatch() + SECONDS
    wait_until(
        lambda: stopwatch() > over_at and len(crowd.done) > acknowledged,
        "the crowd has acted",
        patience_seconds=PATIENCE_SECONDS,
    )


def events_by_document(database: Database) -> Events:
    """Return how often each event was raised of each document; each with a delivery, and signed."""
    with database.reading() as session:
        rows = session.execute(
            select(EventRow.name, EventRow.body, DeliveryRow.id).outerjoin(DeliveryRow)
        ).all()
    assert all(delivery is not None for _, _, delivery in rows)
    for _, body, _ in rows:
        verify(body.encode(), SECRET)
    return Counter((name, json.loads(body)["payload"]["_id"]) for name, body, _ in rows)


def journal_counts(database: Database) -> Counter[str]:
    """Return of how many events, attempts and settlements the journal tells, there or not."""
    with database.reading() as session:
        rows = journal.rows(session, journal.START, whole=True)
        return Counter(fact.kind.value for row in rows for fact in row.facts)


def documents(database: Database) -> set[str]:
    """Return the ids of all documents."""
    tables = (IdeaRow, CustomerRow, IdeaRequestRow, BacklogItemRow, AnnouncementRow)
    with database.reading() as session:
        return {each for table in tables for each in session.scalars(select(table.id))}


def seeded_id(database: Database) -> set[str]:
    """Return the id of the one document of the seed file."""
    with database.reading() as session:
        return {session.scalars(select(IdeaRow.id).where(IdeaRow.title == "Seeded")).one()}


def created_ids(events: Events) -> set[str]:
    """Return the ids of the documents that events tell the making of."""
    return {document for name, document in events if name.endswith(".created")}


def test_a_crowd_meets_no_error_and_each_of_its_actions_is_delivered_once(
    tmp_path: Path, database: Database, recorder: RecordingReceiver
) -> None:
    url = database.url.render_as_string(hide_password=False)
    with run_server(tmp_path, "--db", url) as served:
        prepare(served, recorder.url)
        with ClientLoad.acting(served.ready["url"], clients=CLIENTS) as crowd:
            wait_while(crowd, acknowledged=CLIENTS)
        fleet = Fleet(database=database, home=tmp_path)
        wait_until(fleet.is_settled, "all is delivered", patience_seconds=PATIENCE_SECONDS)
    sys.stdout.write(f"{crowd}\n")
    assert (crowd.failures, crowd.refused) == ([], Counter())
    events = events_by_document(database)
    assert events == crowd.events()
    assert created_ids(events) == documents(database)
    bodies = recorder.bodies()
    assert bodies.keys() == fleet.deliveries_by_body().keys()
    assert bodies.total() == events.total()


@pytest.mark.parametrize(
    ("reset", "keeps_journal"), [("/products/Acme/reset", True), ("/reset", False)]
)
def test_a_reset_in_the_middle_leaves_what_was_done_behind_it_and_nothing_else(
    tmp_path: Path,
    database: Database,
    recorder: RecordingReceiver,
    reset: str,
    keeps_journal: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    url = database.url.render_as_string(hide_password=False)
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED.format(url=recorder.url, secret=SECRET))
    with run_server(tmp_path, "--db", url, "--seed-file", str(seed)) as served:
        with ClientLoad.acting(served.ready["url"], clients=CLIENTS) as crowd:
            wait_while(crowd, acknowledged=CLIENTS)
            begun_at = stopwatch()
            answer = served.client.post(reset)
            done_at = stopwatch()
            assert answer.is_success, answer.text
            wait_while(crowd, acknowledged=len(crowd.done) + CLIENTS)
        fleet = Fleet(database=database, home=tmp_path)
        wait_until(fleet.is_settled, "all is delivered", patience_seconds=PATIENCE_SECONDS)
    # Whoever acts on what is gone is told so.
    assert (crowd.failures, crowd.refused.keys() - {404}) == ([], set())
    before = {each.document for each in crowd.done if each.answered_at < begun_at}
    events, there = events_by_document(database), documents(database)
    assert before
    assert before.isdisjoint(there | {document for _, document in events})
    behind = Counter((each.event, each.document) for each in crowd.done if each.begun_at > done_at)
    assert behind
    assert behind <= events <= crowd.events()
    assert created_ids(events) == there - seeded_id(database)
    # Whatever was sent was sent once: nothing was broken off that is there.
    bodies = recorder.bodies()
    assert bodies.keys() >= fleet.deliveries_by_body().keys()
    assert bodies.total() == len(bodies)
    assert fleet.count("attempts") == events.total()
    # What it tells of a product's events, if they are gone, goes with retention.
    assert keeps_journal or journal_counts(database) == {
        "event": events.total(),
        "attempt": events.total(),
    }


def test_a_kill_while_many_clients_act_loses_nothing_acknowledged(
    tmp_path: Path, database: Database
) -> None:
    url = database.url.render_as_string(hide_password=False)
    with run_server(tmp_path, "--db", url) as served:
        prepare(served, "http://127.0.0.1:9/hooks")
        with ClientLoad.acting(served.ready["url"], clients=CLIENTS) as crowd:
            wait_while(crowd, acknowledged=CLIENTS)
            served.process.kill()
    with run_server(tmp_path, "--db", url) as served:
        listed = served.client.get("/products/Acme/ideas?limit=200")
        assert listed.status_code == 200, listed.text
    assert (crowd.failures, crowd.refused) == ([], Counter())
    events = events_by_document(database)
    assert crowd.events() <= events
    assert created_ids(events) == documents(database)

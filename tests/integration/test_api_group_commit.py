"""Concurrent actions share a commit, and each has the answer that it would have alone."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import event, text
from starlette.responses import Response

from leanbe_emitter.server.http.group_commit import GroupCommit
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.journal import Cursor
from tests.support.api_client import URL, Api, open_api
from tests.support.waiting import PATIENCE_SECONDS

ACME = "/api/v1/products/Acme"
HOOKS = "http://127.0.0.1:9/hooks"
CROWD = 30
#: A change that the database does not take, which nobody foresees.
_REFUSING = """
CREATE TRIGGER refusing BEFORE INSERT ON ideas WHEN NEW.title = 'Bad'
BEGIN SELECT RAISE(ABORT, 'Nobody knows why.'); END
"""


class _Exhausted:
    """A handle on a machine that has no memory left."""

    SAYS = "There is no memory left."
    writes_alone = True

    @property
    def journal(self) -> Any:
        raise MemoryError(self.SAYS)


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with _acme(database_url) as api:
        yield api


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Api]:
    with _acme(f"sqlite:///{tmp_path / 'leanbe.db'}?timeout=0.2") as api:
        yield api


@contextmanager
def _acme(url: str) -> Iterator[Api]:
    with open_api(url) as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": HOOKS}})
        yield api


def at_once(api: Api, titles: Sequence[str], **more: str) -> list[httpx.Response]:
    """Create ideas at once; return the answers in the order of the titles.

    Those called "Bad" have further fields.
    """
    bodies = [{"title": each, **(more if each == "Bad" else {})} for each in titles]
    return request_at_once(api, [("POST", "/ideas", body) for body in bodies])


def request_at_once(api: Api, requests: Sequence[tuple[str, str, object]]) -> list[httpx.Response]:
    """Make requests of the product at once; return their answers in this order."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"{URL}{ACME}") as client:
            return await asyncio.gather(
                *(client.request(method, path, json=body) for method, path, body in requests)
            )

    return asyncio.run(ask())


def titles_of_events(api: Api) -> list[str]:
    """Return the titles that events of new ideas tell of, in their order."""
    listed = [each.event for each in api.leanbe.deliveries.list(limit=200)]
    return [each.payload["title"] for each in sorted(listed, key=lambda each: each.sequence)]


def titles_of_ideas(api: Api) -> list[str]:
    """Return the titles of all ideas."""
    return [each.title for each in api.leanbe.products.get("Acme").ideas.list(limit=200)]


@contextmanager
def ends(database: Database, how: str) -> Iterator[list[object]]:
    """Note the transactions that end in a block by a commit, or by a rollback."""
    noted: list[object] = []
    note = noted.append
    event.listen(database.engine, how, note)
    yield noted
    event.remove(database.engine, how, note)


def test_an_action_that_arrives_during_a_commit_joins_the_next_one(api: Api) -> None:
    titles = [f"Idea {number}" for number in range(CROWD)]
    with ends(api.leanbe._database, "commit") as noted:
        answers = at_once(api, titles)
    assert [each.json()["title"] for each in answers] == titles
    assert 1 <= len(noted) < CROWD / 2
    assert titles_of_ideas(api) == titles_of_events(api) == titles


def test_on_postgresql_nobody_waits_for_those_of_another_product(postgresql_ready: str) -> None:
    async def ask(api: Api, other: Database) -> tuple[int, bool, int]:
        transport = httpx.ASGITransport(api.app)
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            httpx.AsyncClient(transport=transport, base_url=f"{URL}/api/v1/products") as client,
        ):
            with other.transaction() as session:
                session.execute(text("SELECT 1 FROM products WHERE name = 'Acme' FOR UPDATE"))
                waiting = asyncio.create_task(client.post("/Acme/ideas", json={"title": "One"}))
                there = await client.post("/Globex/ideas", json={"title": "Two"})
                is_answered = waiting.done()
            return there.status_code, is_answered, (await waiting).status_code

    with _acme(postgresql_ready) as api, closing(Database(postgresql_ready)) as other:
        api("POST", "/products", {"name": "Globex"})
        assert asyncio.run(ask(api, other)) == (201, False, 201)


def test_a_refused_action_leaves_no_trace_in_the_actions_of_its_batch(api: Api) -> None:
    # Its row is written when it turns out that its event would be too long.
    answers = at_once(api, ["Good", "Bad", "Better", "Bad", "Best"], description="x" * 600_000)
    assert [each.status_code for each in answers] == [201, 413, 201, 413, 201]
    assert (
        sorted(titles_of_ideas(api)) == sorted(titles_of_events(api)) == ["Best", "Better", "Good"]
    )


def test_a_refused_action_undoes_its_changes(api: Api) -> None:
    given = {"title": "Grow", "startDate": "2023-07-01", "endDate": "2023-09-30"}
    okr = api("POST", "/products/Acme/okrs", given).json()
    # That it would end before it begins is seen when it has its new title.
    ends_early = {"title": "Shrink", "endDate": "2023-06-30"}
    requests = [("POST", "/ideas", {"title": "Good"}), ("PATCH", f"/okrs/{okr['_id']}", ends_early)]
    answers = request_at_once(api, [*requests, ("POST", "/ideas", {"title": "Better"})])
    assert [each.status_code for each in answers] == [201, 422, 201]
    assert api("GET", f"/products/Acme/okrs/{okr['_id']}").json() == okr
    assert sorted(titles_of_ideas(api)) == ["Better", "Good"]


def test_a_refusal_before_the_first_write_rolls_nothing_back(on_sqlite: Api) -> None:
    titles = ["Good", "Bad", "Better", "Bad", "Best"]
    with ends(on_sqlite.leanbe._database, "rollback") as noted:
        answers = at_once(on_sqlite, titles, owner="nobody@example.com")
    assert [each.status_code for each in answers] == [201, 404, 201, 404, 201]
    assert noted == []


def test_an_error_of_ours_is_of_one_request_alone(on_sqlite: Api) -> None:
    with on_sqlite.leanbe._database.transaction() as session:
        session.execute(text(_REFUSING))
    answers = at_once(on_sqlite, ["Good", "Bad", "Better", "Bad", "Best"])
    assert [each.status_code for each in answers] == [201, 500, 201, 500, 201]
    assert titles_of_ideas(on_sqlite) == titles_of_events(on_sqlite) == ["Good", "Better", "Best"]


def test_while_somebody_else_writes_for_long_all_are_refused_and_nothing_is_done(
    on_sqlite: Api,
) -> None:
    other = Database(str(on_sqlite.leanbe._database.url))
    with other.transaction() as session:
        session.connection()
        answers = at_once(on_sqlite, ["One", "Two", "Three"])
    assert {each.status_code for each in answers} == {503}
    assert {each.json()["code"] for each in answers} == {"database_unavailable"}
    assert titles_of_ideas(on_sqlite) == titles_of_events(on_sqlite) == []
    assert at_once(on_sqlite, ["Four"])[0].status_code == 201
    other.close()


def test_each_is_given_a_cursor_from_before_what_it_did(api: Api) -> None:
    answers = at_once(api, [f"Idea {number}" for number in range(CROWD)])
    for answer in answers:
        cursor = Cursor.parse(answer.headers["Leanbe-Emitter-Cursor"])
        seen = Counter(each.event.payload["_id"] for each in api.leanbe.journal.read_all(cursor))
        assert seen[answer.json()["_id"]] == 1


def test_all_waiting_actions_get_the_error_of_a_batch_that_cannot_begin() -> None:
    group_commit = GroupCommit(cast("Any", _Exhausted()), on_commit=list)

    async def act() -> list[Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            three = (group_commit.run(Response, product="Acme") for _ in range(3))
            return await asyncio.gather(*three, return_exceptions=True)

    assert [str(each) for each in asyncio.run(act())] == [_Exhausted.SAYS] * 3


def test_a_cancelled_batch_cancels_all_actions_that_wait_for_it(on_sqlite: Api) -> None:
    group_commit = on_sqlite.app.state.group_commit

    async def act() -> list[Any]:
        waiting = [
            asyncio.create_task(group_commit.run(Response, product="Acme")) for _ in range(3)
        ]
        await asyncio.sleep(0)
        for doing in asyncio.all_tasks() - {asyncio.current_task(), *waiting}:
            doing.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.gather(*waiting, return_exceptions=True)

    assert {type(each) for each in asyncio.run(act())} == {asyncio.CancelledError}
    assert at_once(on_sqlite, ["Good"])[0].status_code == 201

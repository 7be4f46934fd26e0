"""An action sends as many statements for many rows as for ten; test_atomicity.py says how few.

`make test` takes as many rows as what is sent in pieces would need several statements for;
`make prove` takes ten thousand.
"""

import pytest
from sqlalchemy import func, select

from leanbe_emitter.storage.schema.document_tables import IdeaRequestRow, IdeaRow, VoteRow
from tests.support.actions import ACTIONS, prepare
from tests.support.bulk_rows import insert_customers, insert_ideas, insert_requests, insert_votes
from tests.support.recorded_statements import record_statements
from tests.support.reused_databases import Databases
from tests.support.scene import Scene, record_events, set_scene

FEW = 10
many = pytest.mark.parametrize("size", [1_100, pytest.param(10_000, marks=pytest.mark.prove)])
#: What these actions do not exceed, however many rows there are.
BOUND = 32


#: Images of databases in memory, by the number of rows around the scene.
_CROWDED: dict[int, bytes] = {}


def insert_crowd(scene: Scene, size: int) -> None:
    """Insert a number of rows of each kind; in memory, load the image of an earlier test."""
    database = scene.leanbe._database
    if database.in_memory and size in _CROWDED:
        database.load(_CROWDED[size])
        return
    customers = insert_customers(scene, size)
    insert_ideas(scene, size)
    insert_requests(scene, size, idea=scene.idea.id)
    insert_votes(scene, customers, [scene.idea.id])
    if database.in_memory:
        _CROWDED[size] = database.image()


def count(db: str, action: str, size: int) -> int:
    """Return how many statements an action sends where all around it are so many rows."""
    with set_scene(db) as scene:
        insert_crowd(scene, size)
        prepare(scene, action)
        with record_statements(scene.leanbe._database) as sent:
            ACTIONS[action](scene)
        return len(sent)


#: Actions whose documents or effects grow with the rows around them.
GROWING = (
    "create customer",
    "create request, new e-mail",
    "attach request",
    "ignore request",
    "create idea",
    "update idea",
    "upvote",
    "switch a vote",
    "vote without a customer",
    "withdraw a vote",
    "promote idea",
    "delete idea",
    "delete customer",
    "delete product",
)


@many
@pytest.mark.parametrize("action", GROWING)
def test_an_action_sends_as_many_statements_for_many_rows_as_for_few(
    action: str, size: int
) -> None:
    assert count(":memory:", action, FEW) == count(":memory:", action, size)


def counts_on_postgresql(db: str, size: int) -> list[int]:
    """Return how many statements three actions send, one after the other, among so many rows."""
    sent = []
    with set_scene(db) as scene:
        insert_crowd(scene, size)
        scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
        # The vote is among what goes with the customer.
        for action in ("upvote", "delete customer", "delete product"):
            with record_statements(scene.leanbe._database) as statements:
                ACTIONS[action](scene)
            sent.append(len(statements))
    return sent


@many
def test_on_postgresql_actions_send_as_many_for_many_as_for_few_too(
    size: int, databases: Databases
) -> None:
    """One crowd for all three: to insert it takes longer than to act."""
    with databases.empty() as few, databases.empty() as crowded:
        assert counts_on_postgresql(few, FEW) == counts_on_postgresql(crowded, size)


@pytest.mark.parametrize("size", [FEW, 1_100, pytest.param(10_000, marks=pytest.mark.prove)])
def test_a_customers_many_votes_leave_every_counter_with_them(scene: Scene, size: int) -> None:
    ideas = insert_ideas(scene, size, up_votes=0)
    insert_votes(scene, [scene.ana.id], ideas)
    insert_requests(scene, size)
    scene.product.ideas.upvote(scene.idea)
    with record_events(scene.leanbe) as events, record_statements(scene.leanbe._database) as sent:
        scene.product.customers.delete(scene.ana)
    assert events.names == "customer.deleted"
    assert len(sent) <= BOUND
    with scene.leanbe._database.reading() as session:
        assert session.scalar(select(func.sum(IdeaRow.up_votes))) == 1
        assert (
            session.scalar(select(func.max(IdeaRow.updated_at)).where(IdeaRow.id.in_(ideas[:9])))
            == 0
        )
        assert session.scalar(select(func.count()).select_from(VoteRow)) == 1
        assert (
            session.scalar(
                select(func.count())
                .select_from(IdeaRequestRow)
                .where(IdeaRequestRow.customer_id.is_not(None))
            )
            == 0
        )


def test_an_idea_out_of_a_thousand_requests_takes_as_many_statements_as_out_of_ten(
    scene: Scene,
) -> None:
    requests = insert_requests(scene, 1_010)
    sent = []
    for chosen in (requests[:10], requests[10:]):
        with (
            record_events(scene.leanbe) as events,
            record_statements(scene.leanbe._database) as one,
        ):
            idea = scene.product.ideas.create(title="Popular", requests=list(chosen))
            sent.append(len(one))
        assert [each["id"] for each in idea.document()["ideaRequests"]] == chosen
        attached = ["ideaRequest.attachedToIdea"] * len(chosen)
        assert events.names.split() == ["idea.created", *attached]
    assert sent[0] == sent[1] <= BOUND

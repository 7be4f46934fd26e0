"""An action is all or nothing: whichever of its statements fails, nothing of it remains."""

from collections.abc import Callable

import pytest

from leanbe_emitter.storage.schema.document_tables import IdeaRow
from tests.support.actions import ACTIONS, prepare
from tests.support.database_dump import dump
from tests.support.recorded_statements import StatementFailed, record_statements
from tests.support.scene import Scene

#: Acts, and fails at the statement of that number, if there are so many.
Acting = Callable[[Scene, str, int], bool]

#: What no action exceeds, whatever it does.
MOST_STATEMENTS = 32

every_action = pytest.mark.parametrize("action", ACTIONS)


@every_action
def test_nothing_of_an_action_remains_after_any_of_its_few_statements_fails(
    scene: Scene, action: str
) -> None:
    failed = _failures_that_leave_nothing(scene, action, _fails)
    assert 4 <= failed <= MOST_STATEMENTS, "an action locks, reads, writes and records"


@every_action
def test_a_failed_statement_inside_a_transaction_undoes_the_action_alone(
    scene: Scene, action: str
) -> None:
    _failures_that_leave_nothing(scene, action, _undone)


def test_a_vote_that_is_undone_inside_a_transaction_is_not_counted_in_it(scene: Scene) -> None:
    before, at = scene.upvotes(), 1
    with scene.leanbe.transaction(), scene.leanbe._transactions.looking() as session:
        held = session.get_one(IdeaRow, scene.idea.id)
        while _is_refused(scene, at):
            assert (scene.upvotes(), held.up_votes) == (before, before), f"after its statement {at}"
            at += 1
        assert (scene.upvotes(), held.up_votes) == (before + 1, before + 1)


def _is_refused(scene: Scene, at: int) -> bool:
    """Vote; say whether that failed at the statement of this number."""
    try:
        with record_statements(scene.leanbe._database, failing=at):
            scene.product.ideas.upvote(scene.idea)
    except StatementFailed:
        return True
    return False


def _failures_that_leave_nothing(scene: Scene, action: str, fails: Acting) -> int:
    """Act again and again, each time failing one statement later, until nothing fails."""
    prepare(scene, action)
    database = scene.leanbe._database
    before, failed = dump(database), 0
    while fails(scene, action, failed + 1):
        failed += 1
        assert dump(database) == before, f"after its statement {failed}"
    assert dump(database) != before
    return failed


def _fails(scene: Scene, action: str, at: int) -> bool:
    """Act by itself; say whether it failed at that statement."""
    with record_statements(scene.leanbe._database, failing=at):
        try:
            ACTIONS[action](scene)
        except StatementFailed:
            return True
    return False


def _undone(scene: Scene, action: str, at: int) -> bool:
    """Act in a transaction that goes on after the failure, and is committed."""
    is_broken = False
    with scene.leanbe.transaction():
        try:
            with record_statements(scene.leanbe._database, failing=at):
                ACTIONS[action](scene)
        except StatementFailed:
            is_broken = True
    return is_broken

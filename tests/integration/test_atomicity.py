"""An action is all or nothing: whichever of its statements fails, nothing of it remains."""

import pytest

from tests.actions import ACTIONS, prepare
from tests.dump import dump
from tests.scene import Scene
from tests.statements import Broken, statements

every_action = pytest.mark.parametrize("action", ACTIONS)


@every_action
def test_whichever_statement_of_an_action_fails_nothing_of_it_remains(
    scene: Scene, action: str
) -> None:
    prepare(scene, action)
    database = scene.leanbe._database
    before = dump(database)
    failed = 0
    while _fails(scene, action, at=failed + 1):
        failed += 1
        assert dump(database) == before, f"after its statement {failed}"
    assert failed >= 4, "an action locks, reads, writes and records"
    assert dump(database) != before


@every_action
def test_whichever_statement_fails_inside_a_transaction_the_action_alone_is_undone(
    scene: Scene, action: str
) -> None:
    prepare(scene, action)
    database = scene.leanbe._database
    before = dump(database)
    failed = 0
    while _undone(scene, action, at=failed + 1):
        failed += 1
        assert dump(database) == before, f"after its statement {failed}"
    assert dump(database) != before


def _fails(scene: Scene, action: str, *, at: int) -> bool:
    with statements(scene.leanbe._database, failing=at):
        try:
            ACTIONS[action](scene)
        except Broken:
            return True
    return False


def _undone(scene: Scene, action: str, *, at: int) -> bool:
    """Act in a transaction that goes on after the failure, and is committed."""
    is_broken = False
    with scene.leanbe.transaction():
        try:
            with statements(scene.leanbe._database, failing=at):
                ACTIONS[action](scene)
        except Broken:
            is_broken = True
    return is_broken

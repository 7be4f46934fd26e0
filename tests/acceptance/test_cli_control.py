"""Commands that control what other processes do, typed as users type them."""

import json

import pytest

from leanbe_emitter.wire.faults import FAULT_KINDS
from tests.command_line import Cli

#: Nobody listens there.
URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def acme(cli: Cli) -> Cli:
    """The program with one product."""
    assert cli("product", "create", "Acme", "--webhook-url", URL).status == 0
    return cli


def test_a_fault_that_was_added_is_taken_by_a_later_command(acme: Cli) -> None:
    added = acme("faults", "add", "receiver-fails", "--how", "status:503", "--event", "idea.*")
    assert (added.status, added.stdout.split("\t")[1:4]) == (
        0,
        ["receiver_fails", "status:503", "1"],
    )
    attempts = json.loads(acme("trigger", "idea.created", "--output", "json").stdout)
    assert [each["fault"] for each in attempts] == ["receiver_fails:status:503"]
    (listed,) = json.loads(acme("faults", "list", "--output", "json").stdout)
    assert (listed["fired"], listed["event"]) == (1, "idea.*")


def test_faults_that_were_cleared_are_gone(acme: Cli) -> None:
    assert acme("faults", "add", "not-delivered", "--times", "3", "--product", "Acme").status == 0
    assert acme("faults", "clear").status == 0
    assert acme("faults", "list").stdout == ""


def test_a_fault_that_there_is_not_is_answered_with_the_nearest(acme: Cli) -> None:
    ran = acme("faults", "add", "receiver-falls")
    assert (ran.status, ran.stdout) == (2, "")
    assert "receiver_fails" in ran.stderr


def test_the_help_tells_of_every_kind_and_way(cli: Cli) -> None:
    told = " ".join(cli("faults", "add", "--help").stdout.split())
    for kind in FAULT_KINDS:
        assert kind.name.replace("_", "-") in told
        assert kind.meaning.replace("`", "") in told
        assert ", ".join(kind.how) in told

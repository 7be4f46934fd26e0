"""Commands that delete: on a terminal they say what will go, and ask."""

import pytest

from tests.support.command_line import Cli, run_on_terminal

#: Nobody listens there.
URL = "http://127.0.0.1:9/hooks"

DELETING = {
    "reset": "This deletes everything in sqlite:///leanbe-emitter.db: 1 product, 1 idea, 3 events, "
    "3 deliveries, 2 pending deliveries, 1 fault.",
    "reset --product Acme": "This deletes the content of the product 'Acme': 1 idea, 3 events, "
    "3 deliveries, 2 pending deliveries.",
    "product delete Acme": "This deletes the product 'Acme' with all its content: 1 idea, "
    "3 events, 3 deliveries, 2 pending deliveries.",
    "deliveries discard --event *": "This cancels 2 pending deliveries.",
    "db prune --older-than 0s": "This deletes 1 event, 1 delivery, and their journal entries.",
}


@pytest.fixture
def acme(cli: Cli) -> Cli:
    """The program with a product that has an idea, two pending deliveries and a settled one."""
    assert cli("product", "create", "Acme", "--webhook-url", URL).status == 0
    assert cli("faults", "add", "not_delivered").status == 0
    for event in ("okr.created", "okr.updated"):
        cli("trigger", event, "--no-deliver")
    cli("deliveries", "discard", "--event", "okr.updated")
    cli("idea", "create", "--title", "Dark mode", "--no-deliver")
    return cli


def shown_text(text: str) -> str:
    """Return what a terminal shows, without the ends of its lines."""
    return " ".join(text.split())


def test_a_no_changes_nothing_and_a_yes_does_it(acme: Cli) -> None:
    counted = acme("deliveries", "list", "--output", "json").stdout
    for command, says in DELETING.items():
        ran = run_on_terminal(*command.split(), typed="n\n")
        assert (ran.status, says in shown_text(ran.stdout)) == (1, True), ran.stdout
        assert "error: Nothing was changed." in ran.stdout
        assert acme("deliveries", "list", "--output", "json").stdout == counted
    for command in ("db prune --older-than 0s", "deliveries discard --event *", "reset"):
        ran = run_on_terminal(*command.split(), typed="y\n")
        assert (ran.status, "Continue? [y/N]" in ran.stdout) == (0, True), ran.stdout
    assert acme("product", "list").stdout == ""
    assert acme("deliveries", "list").stdout == ""


def test_nobody_is_asked_who_agrees_or_has_no_terminal(acme: Cli) -> None:
    acme("idea", "create", "--title", "Light mode", "--no-deliver")
    ran = run_on_terminal("deliveries", "discard", "--event", "okr.*", "--yes")
    assert (ran.status, "Continue?" in ran.stdout) == (0, False)
    ran = acme("deliveries", "discard", "--event", "idea.*")
    assert (ran.status, ran.stderr) == (0, "Discarded 2.\n")
    ran = run_on_terminal("deliveries", "discard", "--event", "idea.*")
    assert (ran.status, "Continue?" in ran.stdout) == (0, False), "there is nothing to ask about"

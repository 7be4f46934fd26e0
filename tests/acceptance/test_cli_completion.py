"""Completion in a shell: names and ids of the database, and words that fit those before."""

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from leanbe_emitter.cli.app import PROGRAM, program
from leanbe_emitter.cli.invocation.commands import COMPLETION_VARIABLE
from tests.support.command_line import Cli


def completed(words: str, incomplete: str = "") -> list[str]:
    """Return the completions of a word after these words."""
    shell = ShellComplete(program, {}, PROGRAM, COMPLETION_VARIABLE)
    return [each.value for each in shell.get_completions(words.split(), incomplete)]


def test_names_and_ends_of_ids_come_from_the_database(cli: Cli) -> None:
    cli("product", "create", "Acme")
    two_words = cli("product", "create", "Two Words").stdout.split("\t")[0]
    cli("webhook", "set", "http://127.0.0.1:9/", "--product", "Acme")
    idea = cli("idea", "create", "--title", "x", "--product", "Acme", "--no-deliver").stdout[:24]
    cli("customer", "create", "--email", "ana@example.com", "--product", "Acme", "--no-deliver")
    delivery = cli("deliveries", "list", "--event", "idea.*").stdout[:24]
    event = cli("events", "list", "--event", "idea.*").stdout[:24]
    assert completed("product show") == ["Acme", two_words[-6:]]
    assert completed("trigger idea.created --product", "A") == ["Acme"]
    assert completed("deliveries show", delivery[-6:-2]) == [delivery[-6:]]
    assert completed("trigger idea.created --same-as", delivery[-6:-2]) == [delivery[-6:]]
    assert completed("events show", event[-6:-2]) == [event[-6:]]
    assert completed("idea show --product Acme") == [idea[-6:]]
    assert completed("customer show --product Acme", "a") == ["ana@example.com"]
    assert completed("idea show") == [], "there are two products"


@pytest.mark.usefixtures("cli")
def test_without_a_database_nothing_is_completed_and_none_is_created(tmp_path: Path) -> None:
    assert completed("product show") == completed("deliveries show") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize(
    ("words", "incomplete", "candidates"),
    [
        ("trigger idea.created --set", "ti", ["title="]),
        ("trigger okr.created --product X --set-json", "keyResults[0].ta", None),
        ("send --to http://127.0.0.1/ customer.created --set", "country.", None),
        ("trigger idea.created --unset", "descriptionH", ["descriptionHTML"]),
        ("trigger --set", "ti", []),
        ("assumptions set signature_location", "", ["body", "header", "both"]),
        ("assumptions set max_attempts", "", ["5"]),
        ("trigger idea.created --assume", "method=", ["method=POST", "method=PUT"]),
        ("faults add receiver_fails --how", "re", ["refused", "reset"]),
        ("faults add receiver_fails --how", "st", ["status:503"]),
        ("faults add delivered_late --how", "", ["10m"]),
    ],
)
def test_words_that_fit_those_before_are_completed(
    words: str, incomplete: str, candidates: list[str] | None
) -> None:
    found = completed(words, incomplete)
    if candidates is None:
        assert found
        assert all(each.startswith(incomplete) for each in found)
    else:
        assert found == candidates

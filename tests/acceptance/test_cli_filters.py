"""Commands that mean some events or deliveries of many: of a product, of an event, on a page."""

import json
from typing import Any

import pytest

from tests.support.command_line import Cli, run_on_terminal
from tests.support.prepared import Prepared

#: Nobody listens there.
URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def both(cli: Cli, prepared: Prepared) -> Cli:
    """The program with two products, each with two pending events."""

    def fill() -> None:
        for name in ("Acme", "Globex"):
            assert cli("product", "create", name, "--webhook-url", URL).status == 0
            raised = ("trigger", "idea.created", "okr.created", "--no-deliver", "--product", name)
            assert cli(*raised).status == 0

    prepared.database("both", fill)
    return cli


def items(cli: Cli, *arguments: str) -> list[Any]:
    return list(json.loads(cli(*arguments, "--output", "json").stdout)["items"])


def pending_events(cli: Cli, *more: str) -> list[str]:
    """Return the names of the events with pending deliveries."""
    rows = items(cli, "deliveries", "list", "--status", "pending", *more)
    return [each["event"]["event"] for each in rows]


def test_a_list_says_when_and_fits_a_terminal(both: Cli) -> None:
    event = "ideaRequest.attachedToIdea"
    both("trigger", event, "--no-deliver", "--product", "Acme")
    newest = items(both, "deliveries", "list")[0]
    row = both("deliveries", "list").stdout.split("\t")
    assert row[:3] == [newest["_id"], newest["event"]["triggeredAt"], event]
    lines = run_on_terminal("deliveries", "list", NO_COLOR="1").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(each in lines[3] for each in (f"…{newest['_id'][-6:]}", "ideaRequest.", "pending"))
    coloured = run_on_terminal("deliveries", "list").stdout
    assert "\x1b[33mpending" in coloured


def test_one_products_deliveries_are_given_up(both: Cli) -> None:
    ran = both("deliveries", "discard", "--product", "Acme")
    assert (ran.status, ran.stderr) == (0, "Discarded 2.\n")
    assert pending_events(both, "--product", "Acme") == []
    assert pending_events(both, "--product", "Globex") == ["okr.created", "idea.created"]


def test_deliveries_of_some_events_are_given_up(both: Cli) -> None:
    assert both("deliveries", "discard", "--event", "idea.*").stderr == "Discarded 2.\n"
    assert pending_events(both) == ["okr.created"] * 2


def test_one_products_deliveries_are_delivered_again(both: Cli) -> None:
    wanted = ("deliveries", "redeliver", "--status", "pending", "--product", "Globex", "--dry-run")
    ran = both(*wanted)
    assert ran.stderr == "Would redeliver 2.\n"
    globex = {each["_id"] for each in items(both, "deliveries", "list", "--product", "Globex")}
    assert {line.split("\t")[0] for line in ran.stdout.splitlines()} == globex


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        (("--product", "Acme"), 2),
        (("--event", "idea.*"), 2),
        (("--event", "*"), 4),
        (("--since", "1h"), 4),
        (("--status", "pending", "--event", "idea.*", "--product", "Acme", "--since", "1h"), 1),
    ],
    ids=str,
)
def test_any_filter_says_which_are_delivered_again(
    both: Cli, filter_: tuple[str, ...], found: int
) -> None:
    wanted = ("deliveries", "redeliver", *filter_)
    ran = both(*wanted, "--dry-run")
    assert (ran.status, ran.stderr) == (0, f"Would redeliver {found}.\n")
    assert f"Redelivered {found}." in both(*wanted).stderr
    named = items(both, "deliveries", "list")[0]["_id"]
    ran = both("deliveries", "redeliver", named, *filter_)
    assert (ran.status, "An ID needs no filter" in ran.stderr) == (2, True)


def test_a_dry_run_lists_the_deliveries_to_redeliver_in_pages(both: Cli) -> None:
    wanted = ("deliveries", "redeliver", "--event", "*")
    first = json.loads(both(*wanted, "--dry-run", "--limit", "3", "--output", "json").stdout)
    ran = both(*wanted, "--dry-run", "--limit", "3")
    more = f"There are more: --after {first['cursor']}\nWould redeliver 4.\n"
    assert (ran.stdout.count("\n"), ran.stderr) == (3, more)
    rest = both(*wanted, "--dry-run", "--after", first["cursor"])
    assert (rest.stdout.count("\n"), rest.stderr) == (1, "Would redeliver 4.\n")
    refused = both(*wanted, "--limit", "3")
    assert (refused.status, "--dry-run" in refused.stderr) == (2, True)


def test_a_wait_is_for_one_product(both: Cli) -> None:
    both("deliveries", "discard", "--product", "Acme")
    waits = ("deliveries", "wait", "--timeout", "0s", "--count", "2", "--product")
    assert both(*waits, "Acme").stdout.count("cancelled") == 2
    assert both(*waits, "Globex").status == 1


def test_a_wait_for_a_product_alone_is_for_something_of_it(both: Cli) -> None:
    both("deliveries", "discard", "--product", "Acme")
    assert both("deliveries", "wait", "--timeout", "0s", "--product", "Acme").status == 0
    assert both("deliveries", "wait", "--timeout", "0s").status == 1


@pytest.mark.parametrize("noun", ["deliveries", "events"])
def test_a_list_goes_on_by_its_cursor(both: Cli, noun: str) -> None:
    first = json.loads(both(noun, "list", "--limit", "3", "--output", "json").stdout)
    ran = both(noun, "list", "--limit", "3")
    assert ran.stderr == f"There are more: --after {first['cursor']}\n"
    rest = both(noun, "list", "--after", first["cursor"])
    assert (rest.stdout.count("\n"), rest.stderr) == (1, "")
    shown = {line.split("\t")[0] for line in (ran.stdout + rest.stdout).splitlines()}
    assert len(shown) == 4


def test_events_are_listed_with_and_without_a_delivery(both: Cli) -> None:
    both("webhook", "clear", "--product", "Acme")
    both("trigger", "idea.updated", "--product", "Acme")
    listed = items(both, "events", "list", "--product", "Acme", "--event", "idea.*")
    assert [each["event"] for each in listed] == ["idea.updated", "idea.created"]
    assert len(items(both, "events", "list")) == 5
    shown = json.loads(both("events", "show", listed[0]["_id"][-6:], "--output", "json").stdout)
    assert shown == listed[0]
    assert both("events", "show", listed[0]["_id"]).stdout.rstrip("\n").endswith("}")


def test_a_user_is_shown_by_name_and_product(both: Cli) -> None:
    both(
        *("user", "create", "--product", "Acme"),
        *("--email", "bo@example.com", "--first-name", "Bo"),
    )
    shown = both("user", "show", "bo@example.com", "--product", "Acme")
    assert shown.stdout.split("\t")[1:] == ["Bo", "bo@example.com\n"]
    assert both("user", "show", "bo@example.com", "--product", "Globex").status == 2


def test_how_much_there_is_and_where_is_shown(both: Cli) -> None:
    told = json.loads(both("info", "--output", "json").stdout)
    assert (told["db"], told["clock"]["kind"]) == ("sqlite:///leanbe-emitter.db", "system")
    assert (told["counts"]["products"], told["counts"]["deliveries"]["pending"]) == (2, 4)
    plain = dict(line.split("\t") for line in both("info").stdout.splitlines())
    assert (plain["db"], plain["clock"]) == ("sqlite:///leanbe-emitter.db", "system")
    assert [plain[each] for each in ("products", "events", "pending")] == ["2", "4", "4"]
    assert (plain["delivered"], plain["assumptions"]) == ("0", "")

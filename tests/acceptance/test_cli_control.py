"""Commands that control what other processes do, typed as users type them."""

import json
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS
from leanbe_emitter.wire.instants import parse_instant
from tests.support.command_line import Cli
from tests.support.prepared import Prepared

#: Nobody listens there.
URL = "http://127.0.0.1:9/hooks"
BEGINNING = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def acme(cli: Cli, prepared: Prepared) -> Cli:
    """The program with one product."""
    prepared.database("acme", lambda: cli("product", "create", "Acme", "--webhook-url", URL))
    return cli


def test_a_fault_that_was_added_is_taken_by_a_later_command(acme: Cli) -> None:
    added = acme("faults", "add", "receiver_fails", "--how", "status:503", "--event", "idea.*")
    assert (added.status, added.stdout.split("\t")[1:4]) == (
        0,
        ["receiver_fails", "status:503", "1"],
    )
    attempts = json.loads(acme("trigger", "idea.created", "--output", "json").stdout)
    assert [each["fault"] for each in attempts] == ["receiver_fails:status:503"]
    (listed,) = json.loads(acme("faults", "list", "--output", "json").stdout)
    assert (listed["fired"], listed["event"]) == (1, "idea.*")


def test_faults_that_were_cleared_are_gone(acme: Cli) -> None:
    assert acme("faults", "add", "not_delivered", "--times", "3", "--product", "Acme").status == 0
    assert acme("faults", "clear").status == 0
    assert acme("faults", "list").stdout == ""


def test_a_fault_that_there_is_not_is_answered_with_the_nearest(acme: Cli) -> None:
    ran = acme("faults", "add", "receiver_falls")
    assert (ran.status, ran.stdout) == (2, "")
    assert "receiver_fails" in ran.stderr


def test_the_help_tells_of_every_kind_and_way(cli: Cli) -> None:
    told = " ".join(cli("faults", "add", "--help").stdout.split())
    for kind in FAULT_KINDS:
        assert kind.name in told
        assert kind.meaning.replace("`", "") in told
        assert ", ".join(kind.how) in told


@pytest.fixture
def manual(acme: Cli, tmp_path: Path) -> Cli:
    """The same on a database whose clock is manual, and stands at the beginning of a year."""
    Leanbe(f"sqlite:///{tmp_path / 'leanbe-emitter.db'}", clock="manual").close()
    assert acme("clock", "set", "2026-01-01T00:00:00.000Z").stdout == f"{BEGINNING}\tmanual\n"
    return acme


def test_a_clock_that_was_moved_tells_its_time_to_later_commands(manual: Cli) -> None:
    manual("trigger", "idea.created", "--no-deliver")
    assert manual("clock", "show").stdout == f"{BEGINNING}\tmanual\n"
    listed = json.loads(manual("deliveries", "list", "--output", "json").stdout)
    assert listed["items"][0]["event"]["triggeredAt"] == BEGINNING
    assert manual("deliveries", "list", "--since", "1m").stdout.count("\n") == 1
    assert manual("deliveries", "list", "--since", "2026-01-01T01:00:00+01:00").stdout
    assert not manual("deliveries", "list", "--since", "2026-01-01T00:00:01Z").stdout


def test_advancing_makes_the_retries_and_prints_them(manual: Cli) -> None:
    manual("faults", "add", "receiver_fails", "--how", "status:503", "--times", "3")
    manual("trigger", "idea.created")
    ran = manual("clock", "advance", "5m", "--output", "jsonl")
    attempts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [each["number"] for each in attempts] == [2, 3, 4]
    assert (ran.status, "3 of 3 attempts were not accepted" in ran.stderr) == (1, True)
    assert manual("clock", "show").stdout.startswith("2026-01-01T00:05:00.000Z")
    assert manual("clock", "run-until-settled").status == 1
    assert "exhausted" in manual("deliveries", "list").stdout


def test_a_failed_wait_names_the_command_that_moves_the_clock(manual: Cli) -> None:
    manual("faults", "add", "receiver_fails", "--how", "status:503")
    manual("trigger", "idea.created")
    ran = manual("deliveries", "wait", "--event", "idea.*", "--timeout", "0s")
    assert ran.status == 1
    told = "The clock is manual: leanbe-emitter clock advance 5s moves it there."
    assert told in " ".join(ran.stderr.split())


def test_follow_ends_with_the_command_that_moves_the_clock(manual: Cli) -> None:
    told = "The clock is manual: leanbe-emitter clock advance 5s moves it there."
    for command in (("trigger", "idea.created"), ("idea", "create", "--title", "Dark mode")):
        ran = manual(*command, "--follow")
        assert ran.status == 1
        assert told in " ".join(ran.stderr.split())


def test_under_a_manual_clock_moving_it_makes_the_next_attempt(manual: Cli) -> None:
    delivery = json.loads(manual("trigger", "idea.created", "--output", "json").stdout)[0]
    told = "by the clock, once it is moved: leanbe-emitter clock run-until-settled"
    for command in (
        ("trigger", "idea.created"),
        ("idea", "create", "--title", "Dark mode"),
        ("deliveries", "redeliver", delivery["delivery"]),
        ("deliveries", "redeliver", "--event", "idea.*"),
    ):
        assert told in manual(*command).stderr
    assert "any worker" not in manual("trigger", "idea.created").stderr


def test_a_worker_says_where_retries_wait_for_a_manual_clock(acme: Cli, tmp_path: Path) -> None:
    assert acme("worker", "--drain").stderr == "Nothing is due.\n"
    Leanbe(f"sqlite:///{tmp_path / 'leanbe-emitter.db'}", clock="manual").close()
    told = "The clock is manual: retries wait until you move it: leanbe-emitter clock advance."
    assert acme("worker", "--drain").stderr == f"Nothing is due.\n{told}\n"


def test_no_attempt_is_left_of_a_delivery_only_behind_its_last(manual: Cli) -> None:
    manual("trigger", "idea.created", "--no-deliver")
    lines = manual("clock", "run-until-settled", "--output", "table").stdout.splitlines()
    told = [line.strip() for line in lines if line.startswith(" ")]
    assert told[:-1] == ["unreachable; another attempt follows."] * 4
    assert told[-1].startswith("unreachable; no attempt is left (exhausted). Again: ")


def test_the_lines_of_an_attempt_tell_the_time_of_the_databases_clock(manual: Cli) -> None:
    out, back, _ = manual("trigger", "idea.created", "--output", "table").stdout.splitlines()
    midnight = parse_instant(BEGINNING).astimezone().strftime("%H:%M:%S")
    assert (out[:11], back[:11]) == (f"{midnight} ->", f"{midnight} <-")


@pytest.mark.parametrize(
    "words", ["set 2026-01-01T00:00:00.000Z", "advance 1h", "run-until-settled"]
)
def test_the_systems_clock_is_not_moved(acme: Cli, words: str) -> None:
    ran = acme("clock", *words.split())
    assert (ran.status, ran.stdout) == (2, "")
    assert "--clock manual" in ran.stderr
    assert acme("clock", "show").stdout.endswith("\tsystem\n")


def test_a_time_or_a_way_that_is_none_is_refused(manual: Cli) -> None:
    last = "9999-12-31T23:59:59.999Z"
    for words in (("set", "tomorrow"), ("set", last), ("advance", "30"), ("advance", "0s")):
        assert manual("clock", *words).status == 2
    assert manual("clock", "show").stdout == f"{BEGINNING}\tmanual\n"


@pytest.mark.parametrize("time", ["0000-01-01T00:00:00Z", "2105-12-31T22:00:00-05:00"])
def test_a_time_out_of_a_clocks_years_is_named_as_it_was_written(manual: Cli, time: str) -> None:
    ran = manual("clock", "set", time)
    assert ran.status == 2
    assert f"Invalid value for 'TIME': '{time}' is out of range." in ran.stderr
    assert "Use a year from 1971 to 2105, in UTC." in ran.stderr


def test_reset_deletes_the_content_of_one_product_or_everything(acme: Cli) -> None:
    acme("product", "create", "Globex", "--webhook-url", URL)
    for name in ("Acme", "Globex"):
        acme("idea", "create", "--title", "Dark mode", "--product", name, "--no-deliver")
    assert (
        acme("reset", "--product", "Acme").stderr == "Deleted the content of the product 'Acme'.\n"
    )
    assert acme("idea", "list", "--product", "Acme").stdout == ""
    assert acme("idea", "list", "--product", "Globex").stdout != ""
    assert acme("product", "list").stdout.count("\n") == 2
    assert acme("reset").status == 0
    assert acme("product", "list").stdout == ""

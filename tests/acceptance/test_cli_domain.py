"""Domain commands, typed as users type them, to a receiver that is a process of its own."""

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from leanbe_emitter import Leanbe, stringify, verify
from tests.support.command_line import (
    PROGRAM,
    Cli,
    Ran,
    environment,
    next_line,
    start_program,
    wait_for_end,
)
from tests.support.prepared import Prepared
from tests.support.receiver_process import SECRET, acme_with_receiver, saved_bodies

#: Text that has to survive shells, SQL, JSON and HTML.
TEXT = "L'été à 100 % 😎 \"<b>\" & 'x' \\ ; \u2028 \t日本"


def document_of(cli: Cli, *words: str) -> dict[str, Any]:
    """Run a domain command, which must not fail; return the document that it prints."""
    ran = cli(*words, "--output", "json")
    assert ran.status == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def events(folder: Path) -> list[str]:
    return [verify(body, SECRET).event for body in saved_bodies(folder)]


def payload_text(body: bytes) -> str:
    """Return the payload's own text, as it stands in a body."""
    envelope = verify(body, SECRET)
    text = stringify(envelope.payload)
    assert text in body.decode()
    return text


@pytest.fixture
def alone(cli: Cli, prepared: Prepared) -> Cli:
    """The program with one product, which has no webhook."""
    prepared.database("alone", lambda: document_of(cli, "product", "create", "Acme"))
    return cli


def assert_usage_error(ran: Ran, *said: str) -> None:
    """See that a command was an error of usage that says this, and printed nothing."""
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")
    for words in said:
        assert words in ran.stderr


def database_dump(folder: Path) -> list[str]:
    """Return all that the database holds, as SQL."""
    with closing(sqlite3.connect(folder / "leanbe-emitter.db")) as database:
        return list(database.iterdump())


CREATED = {
    "customer": ["customer", "create", "--email", "ana@example.com", "--first-name", TEXT],
    "idea": ["idea", "create", "--title", TEXT, "--tag", "ui", "--tag", "ux"],
    "ideaRequest": ["idea-request", "create", "--title", TEXT, "--source", "Portal"],
    "backlogItem": ["backlog-item", "create", "--title", TEXT, "--status", "Done"],
    "okr": ["okr", "create", "--title", TEXT, "--key-result", "Score=60.5"],
    "announcement": ["announcement", "create", "--title", TEXT, "--category", "New"],
}


@pytest.mark.parametrize("resource", CREATED)
def test_create_and_show_print_the_document_that_the_webhook_carried(
    cli: Cli, tmp_path: Path, resource: str
) -> None:
    with acme_with_receiver(cli, tmp_path):
        document = document_of(cli, *CREATED[resource])
        shown = document_of(cli, CREATED[resource][0], "show", document["_id"][-6:])
    (body,) = saved_bodies(tmp_path)
    assert events(tmp_path) == [f"{resource}.created"]
    assert stringify(document) == stringify(shown) == payload_text(body)
    assert TEXT in (document.get("title"), document.get("firstName"))


def test_update_prints_the_document_that_the_webhook_carried(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        idea = document_of(cli, "idea", "create", "--title", "Dark mode")["_id"]
        document = document_of(cli, "idea", "update", idea, "--description", TEXT, "--archived")
    assert events(tmp_path) == ["idea.created", "idea.updated"]
    assert stringify(document) == payload_text(saved_bodies(tmp_path)[1])
    assert (document["description"], document["archived"]) == (TEXT, True)


def test_on_a_terminal_the_document_stands_above_its_attempts(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("idea", "create", "--title", "Dark mode", "--output", "table")
    assert (ran.status, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    title = next(i for i, line in enumerate(lines) if line.split() == ["title", "Dark", "mode"])
    out = next(i for i, line in enumerate(lines) if " -> idea.created   …" in line)
    assert title < out
    assert " <- 204 No Content" in lines[out + 1]


@pytest.mark.parametrize("form", ["plain", "json", "jsonl"])
def test_elsewhere_stdout_is_the_document_alone_and_stderr_tells_of_the_attempts(
    cli: Cli, tmp_path: Path, form: str
) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("idea", "create", "--title", "Dark mode", "--output", form)
    assert " -> idea.created   …" in ran.stderr
    assert " <- 204 No Content" in ran.stderr
    if form == "plain":
        assert ran.stdout.split("\t")[1:] == ["Dark mode", "0", "false", "false", "public\n"]
    else:
        assert json.loads(ran.stdout)["title"] == "Dark mode"


def test_quiet_leaves_nothing_on_stderr(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("idea", "create", "--title", "Dark mode", "--quiet")
    assert (ran.status, ran.stderr) == (0, "")


def test_the_id_of_a_row_goes_into_the_next_command(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        idea = cli("idea", "create", "--title", "Dark mode").stdout.split("\t")[0]
        assert document_of(cli, "idea", "upvote", idea)["upvotes"] == 1
    assert events(tmp_path) == ["idea.created", "idea.upVoted"]


def test_an_action_with_several_events_delivers_them_in_order(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        first = document_of(
            cli, "idea-request", "create", "--title", "a", "--customer", "new@example.com"
        )
        second = document_of(cli, "idea-request", "create", "--title", "b")
        requests = ("--request", second["_id"], "--request", first["_id"][-6:])
        idea = document_of(cli, "idea", "create", "--title", "Dark mode", *requests)
        document_of(cli, "idea", "promote", idea["_id"])
    assert [each["title"] for each in idea["ideaRequests"]] == ["b", "a"]
    assert events(tmp_path) == [
        "customer.created",
        "ideaRequest.created",
        "ideaRequest.created",
        "idea.created",
        "ideaRequest.attachedToIdea",
        "ideaRequest.attachedToIdea",
        "idea.promoted",
        "backlogItem.created",
    ]


def test_an_attempt_that_is_not_accepted_is_1_and_the_action_stands(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1"):
        ran = cli("idea", "create", "--title", "Dark mode", "--output", "json")
        assert ran.status == 1
        assert "503 Service Unavailable" in ran.stderr
        assert "by any worker, or --follow." in ran.stderr
        assert ran.stderr.endswith("error: 1 of 1 attempt was not accepted.\n")
        assert (
            document_of(cli, "idea", "show", json.loads(ran.stdout)["_id"])["title"] == "Dark mode"
        )
        assert cli("deliveries", "list", "--status", "pending").stdout.count("\n") == 1


def test_follow_stays_until_the_delivery_is_settled(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1"):
        assert cli("assumptions", "set", "backoff", "50ms").status == 0
        ran = cli("idea", "create", "--title", "Dark mode", "--follow")
        assert ran.status == 0, "the delivery ended delivered, whatever it took"
        assert "204 No Content" in ran.stderr
        assert cli("deliveries", "list", "--status", "delivered").stdout.count("\n") == 1


def test_an_event_that_is_left_to_a_worker_is_delivered_by_one(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("idea", "create", "--title", "Dark mode", "--no-deliver")
        assert ran.status == 0
        assert "idea.created …" in ran.stderr
        assert "leanbe-emitter worker --drain" in ran.stderr
        assert events(tmp_path) == []
        assert cli("worker", "--drain").status == 0
    assert events(tmp_path) == ["idea.created"]


def test_follow_and_no_deliver_contradict_each_other(alone: Cli) -> None:
    assert_usage_error(
        alone("okr", "create", "--title", "x", "--follow", "--no-deliver"), "contradict"
    )
    assert alone("okr", "list").stdout == ""


def test_without_a_webhook_the_event_is_recorded_and_has_no_delivery(alone: Cli) -> None:
    ran = alone("idea", "create", "--title", "Dark mode")
    assert ran.status == 0
    assert "Recorded without a delivery: idea.created" in ran.stderr


def test_an_action_that_changes_nothing_says_so(alone: Cli) -> None:
    news = document_of(alone, "announcement", "create", "--title", "News")["_id"]
    ran = alone("announcement", "unpublish", news)
    assert ran.status == 0
    assert "No event" in ran.stderr


def test_an_interrupted_command_has_printed_what_it_made(alone: Cli, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert alone("webhook", "set", url).status == 0
        with start_program("idea", "create", "--title", "Dark mode", cwd=tmp_path) as process:
            row = next_line(process.stdout)
            assert wait_for_end(process, signal.SIGINT)[0] == 130
    assert document_of(alone, "idea", "show", row.split("\t")[0])["title"] == "Dark mode"


def test_every_field_of_a_customer_can_be_set(alone: Cli) -> None:
    document = document_of(
        alone,
        *("customer", "create", "--email", "ana@example.com", "--first-name", "Ana"),
        *("--last-name", "Costa", "--phone", "+1", "--city", "Lyon", "--source", "Portal"),
        *("--type", "Initiator", "--note", "one", "--note", "two", "--confirmed"),
        *("--set", "state=Rhône", "--set", "addressLine1=1, rue", "--set", "addressLine2=B"),
        *("--set", "zipcode=69001", "--set", "country.countryCode=FR", "--set", "gender=x"),
        *("--set", "company.name=Globex", "--set", "company.jobTitle=CEO"),
        *("--set", "image.url=https://example.com/a.png", "--set", "bgColor=#4D80CC"),
        *("--set-json", "isTemporary=true", "--set", "devices[0].brand=Apple"),
        *("--set-json", 'billing_details=[{"plan_price":"$1"}]'),
    )
    assert document["notes"] == [{"note": "one"}, {"note": "two"}]
    assert document["confirmed"] is document["isTemporary"] is True
    assert document["country"] == {"countryCode": "FR"}
    assert document["image"] == {"url": "https://example.com/a.png"}
    assert document["devices"][0]["brand"] == "Apple"
    assert document["billing_details"][0]["plan_price"] == "$1"
    assert len(document) == 26


def test_a_nested_path_changes_that_member_only(alone: Cli) -> None:
    document_of(
        alone,
        *("customer", "create", "--email", "ana@example.com", "--set", "company.name=Globex"),
        *("--set", "company.jobTitle=CEO", "--note", "one", "--note", "two"),
    )
    ran = ("customer", "update", "ana@example.com")
    document = document_of(alone, *ran, "--set", "company.jobTitle=CTO", "--set", "notes[1].note=2")
    assert document["company"] == {"name": "Globex", "jobTitle": "CTO"}
    assert document["notes"] == [{"note": "one"}, {"note": "2"}]
    document = document_of(alone, *ran, "--unset", "company.name", "--unset", "notes[0]")
    assert (document["company"], document["notes"]) == ({"jobTitle": "CTO"}, [{"note": "2"}])
    assert "company" not in document_of(alone, *ran, "--unset", "company")


def test_the_fields_of_an_idea_can_be_set_and_taken_away(alone: Cli) -> None:
    assert alone("user", "create", "--email", "bo@example.com", "--first-name", "Bo").status == 0
    idea = document_of(
        alone,
        *("idea", "create", "--title", "Dark mode", "--owner", "bo@example.com"),
        *("--assigned", "bo@example.com", "--visibility", "private", "--description", "a < b"),
    )
    assert idea["owner"]["firstName"] == idea["assigned"]["firstName"] == "Bo"
    assert (idea["visibility"], idea["descriptionHTML"]) == ("private", "<p>a &lt; b</p>")
    changed = ("idea", "update", idea["_id"])
    idea = document_of(alone, *changed, "--unset", "assigned", "--set", "owner=owner@example.com")
    assert "assigned" not in idea
    assert idea["owner"]["email"] == "owner@example.com"
    assert document_of(alone, *changed, "--set-json", 'tags=[{"title":"ui"}]')["tags"] == [
        {"title": "ui"}
    ]
    assert (
        document_of(alone, *changed, "--set", "descriptionHTML=<i>x</i>")["description"] == "a < b"
    )


def test_key_results_are_set_checked_in_and_removed_by_path(alone: Cli) -> None:
    okr = document_of(
        alone,
        *("okr", "create", "--title", "Delight", "--start-date", "2026-07-01"),
        *("--end-date", "2026-09-30T12:00:00+02:00"),
        *("--key-result", "Score=60", "--key-result", "Speed, in s=0.5"),
        *("--set-json", "keyResults[0].startValue=40", "--set", "keyResults[0].unit=%"),
    )
    assert okr["startDate"] == "2026-07-01T00:00:00.000Z"
    assert okr["endDate"] == "2026-09-30T10:00:00.000Z"
    assert [each["targetValue"] for each in okr["keyResults"]] == [60, 0.5]
    on = ("okr", "check-in", okr["_id"], "--key-result", "Score", "--value", "50")
    okr = document_of(alone, *on)
    assert (okr["keyResults"][0]["progress"], okr["progress"]) == (50, 25)
    assert okr["keyResults"][0]["unit"] == "%"
    update = ("okr", "update", okr["_id"])
    okr = document_of(alone, *update, "--set-json", "keyResults[0].targetValue=50")
    assert okr["keyResults"][0] == {**okr["keyResults"][0], "currentValue": 50, "progress": 100}
    okr = document_of(alone, *update, "--unset", "keyResults[0]", "--end-date", "2026-08-01")
    assert [each["title"] for each in okr["keyResults"]] == ["Speed, in s"]


def test_votes_are_cast_switched_and_withdrawn(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        assert cli("customer", "create", "--email", "ana@example.com").status == 0
        idea = document_of(cli, "idea", "create", "--title", "Dark mode")["_id"]
        by_ana = (idea, "--customer", "ANA@example.com")
        assert document_of(cli, "idea", "upvote", *by_ana)["upvotes"] == 1
        assert_usage_error(cli("idea", "upvote", *by_ana), "already", "withdraw-vote")
        assert document_of(cli, "idea", "downvote", *by_ana)["upvotes"] == 0
        assert document_of(cli, "idea", "upvote", idea)["upvotes"] == 1
        ran = cli("idea", "withdraw-vote", *by_ana)
        assert (ran.status, "No event" in ran.stderr) == (0, True)
        assert_usage_error(cli("idea", "withdraw-vote", *by_ana), "no vote")
    voted = ["idea.upVoted", "idea.downVoted", "idea.upVoted"]
    assert events(tmp_path) == ["customer.created", "idea.created", *voted]


def test_requests_are_attached_or_ignored_for_good(alone: Cli) -> None:
    one = document_of(alone, "idea-request", "create", "--title", "one")["_id"]
    two = document_of(alone, "idea-request", "create", "--title", "two", "--description", "x")[
        "_id"
    ]
    idea = document_of(alone, "idea", "create", "--title", "Dark mode")["_id"]
    attached = document_of(alone, "idea-request", "attach", one, "--idea", idea)
    assert (attached["status"], attached["idea"]["_id"]) == ("attached", idea)
    assert document_of(alone, "idea-request", "ignore", two)["status"] == "ignored"
    assert_usage_error(alone("idea-request", "attach", two, "--idea", idea), "ignored already")
    assert_usage_error(alone("idea-request", "ignore", one), "attached already")


def test_a_backlog_item_moves_over_the_products_board(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("product", "statuses", "Acme", "--set", 'To Do, "Doing, hard",Done')
        assert ran.stdout == "To Do\nDoing, hard\nDone\n"
        assert cli("product", "statuses", "Acme").stdout == ran.stdout
        item = document_of(cli, "backlog-item", "create", "--title", "Fix it")["_id"]
        assert document_of(cli, "backlog-item", "set-status", item, "Doing, hard")["status"] == (
            "Doing, hard"
        )
        done = ("--status", "Done", "--title", "Fixed", "--tag", "bug")
        document_of(cli, "backlog-item", "update", item, *done)
        assert_usage_error(
            cli("backlog-item", "set-status", item, "Dne"), "Dne", "Did you mean Done?"
        )
    assert events(tmp_path) == [
        "backlogItem.created",
        "backlogItem.statusChanged",
        "backlogItem.updated",
        "backlogItem.statusChanged",
    ]


@pytest.mark.parametrize("wanted", ["", "To Do,,Done", "Done,Done", '"a'])
def test_statuses_that_make_no_board_are_refused(alone: Cli, wanted: str) -> None:
    assert_usage_error(alone("product", "statuses", "Acme", "--set", wanted))
    assert alone("product", "statuses", "Acme").stdout.startswith("To Do\n")


def test_an_announcement_is_published_and_taken_back(alone: Cli) -> None:
    news = document_of(alone, "announcement", "create", "--title", "News", "--status", "published")
    assert "publishedAt" in news
    assert document_of(alone, "announcement", "unpublish", news["_id"])["status"] == "draft"
    assert document_of(alone, "announcement", "publish", news["_id"])["status"] == "published"


def test_a_customer_is_confirmed(alone: Cli) -> None:
    document_of(alone, "customer", "create", "--email", "ana@example.com")
    assert document_of(alone, "customer", "confirm", "ana@example.com")["confirmed"] is True


@pytest.mark.parametrize("resource", sorted(set(CREATED) - {"ideaRequest"}))
def test_delete_prints_the_last_state_and_then_there_is_none(
    cli: Cli, tmp_path: Path, resource: str
) -> None:
    group = CREATED[resource][0]
    with acme_with_receiver(cli, tmp_path):
        document = document_of(cli, *CREATED[resource])
        assert document_of(cli, group, "delete", document["_id"]) == document
        assert_usage_error(cli(group, "show", document["_id"]), document["_id"])
    assert events(tmp_path) == [f"{resource}.created", f"{resource}.deleted"]
    assert stringify(document) == payload_text(saved_bodies(tmp_path)[1])


def titles(ran: Ran) -> list[str]:
    assert ran.status == 0, ran.stderr
    return [line.split("\t")[1] for line in ran.stdout.splitlines()]


@pytest.fixture
def full(cli: Cli, prepared: Prepared) -> Cli:
    """A product with several of everything."""
    prepared.database("full", fill)
    return cli


def fill() -> None:
    with Leanbe("sqlite:///leanbe-emitter.db") as leanbe:
        acme = leanbe.products.create("Acme")
        bo = acme.users.create(email="bo@example.com", first_name="Bo")
        ana = acme.customers.create(email="ana@example.com", confirmed=True)
        acme.customers.create(email="bea@example.com")
        request = acme.idea_requests.create(title="asked", customer=ana)
        acme.idea_requests.create(title="unasked")
        idea = acme.ideas.create(title="one", requests=[request], tags=["ui"], owner=bo)
        acme.ideas.create(title="two", archived=True, visibility="private")
        acme.ideas.create(title="three", assigned=bo)
        acme.ideas.promote(idea)
        acme.backlog_items.create(title="other", status="Done", assigned=bo)
        acme.okrs.create(title="mine", owner=bo)
        acme.okrs.create(title="theirs")
        acme.announcements.create(title="draft")
        acme.announcements.create(title="out", status="published")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("customer list", ["ana@example.com", "bea@example.com"]),
        ("customer list --email BEA@example.com", ["bea@example.com"]),
        ("customer list --confirmed", ["ana@example.com"]),
        ("customer list --no-confirmed", ["bea@example.com"]),
        ("idea list", ["one", "two", "three"]),
        ("idea list --promoted", ["one"]),
        ("idea list --no-promoted --no-archived", ["three"]),
        ("idea list --archived", ["two"]),
        ("idea list --visibility private", ["two"]),
        ("idea list --tag ui", ["one"]),
        ("idea list --owner bo@example.com", ["one"]),
        ("idea list --assigned bo@example.com", ["three"]),
        ("idea-request list --status attached", ["asked"]),
        ("idea-request list --status new", ["unasked"]),
        ("idea-request list --customer ana@example.com", ["asked"]),
        ("backlog-item list --status Done", ["other"]),
        ("backlog-item list --assigned bo@example.com", ["other"]),
        ("okr list --owner bo@example.com", ["mine"]),
        ("announcement list --status published", ["out"]),
        ("announcement list --status draft --product Acme", ["draft"]),
    ],
)
def test_a_list_is_filtered(full: Cli, typed: str, found: list[str]) -> None:
    assert titles(full(*typed.split())) == found


def test_lists_are_filtered_by_the_idea(full: Cli) -> None:
    idea = full("idea", "list", "--promoted").stdout.split("\t")[0]
    assert titles(full("idea-request", "list", "--idea", idea)) == ["asked"]
    assert titles(full("backlog-item", "list", "--idea", idea)) == ["one"]


def test_a_list_goes_on_after_its_cursor(full: Cli) -> None:
    first = full("idea", "list", "--limit", "2")
    assert titles(first) == ["one", "two"]
    cursor = first.stderr.strip().rsplit(" ", 1)[1]
    rest = full("idea", "list", "--limit", "2", "--after", cursor)
    assert (titles(rest), rest.stderr) == (["three"], "")


def test_a_list_in_json_has_items_and_a_cursor(full: Cli) -> None:
    page = json.loads(full("idea", "list", "--limit", "2", "--output", "json").stdout)
    assert [each["title"] for each in page["items"]] == ["one", "two"]
    after = ("--after", page["cursor"], "--output", "json")
    rest = json.loads(full("idea", "list", *after).stdout)
    assert ([each["title"] for each in rest["items"]], rest["cursor"]) == (["three"], None)
    lines = full("idea", "list", "--output", "jsonl").stdout.splitlines()
    assert [json.loads(line)["title"] for line in lines] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("idea list --limit 0", "--limit"),
        ("idea list --after x", "cursor"),
        ("idea-request list --status nwe", "nwe"),
        ("idea list --owner nobody@example.com", "nobody@example.com"),
        ("idea create", "title"),
        ("idea create --set titel=x", "Did you mean title?"),
        ("idea create --title x --set createdAt=now", "createdAt cannot be set"),
        ("idea create --title x --set archived=true", "--set-json archived=true"),
        ("idea create --title x --set-json tags=1", "tags"),
        ("idea create --title x --request a2e502", "a2e502"),
        ("idea create --titel x", "--title"),
        ("idea updat a2e502", "update"),
        ("idea update a2e502 --title x", "a2e502"),
        ("idea update a2e502", "nothing to change"),
        ("customer show ann@example.com", "Did you mean ana@example.com"),
        ("customer create --email ana@EXAMPLE.com", "already"),
        ("customer create --email nonsense", "nonsense"),
        ("customer update ana@example.com --unset email", "email cannot be removed"),
        ("okr create --title x --key-result Score", "TITLE=NUMBER"),
        ("okr create --title x --key-result Score=x", "TITLE=NUMBER"),
        ("okr create --title x --key-result =1", "TITLE=NUMBER"),
        ("okr create --title x --key-result Score=true", "TITLE=NUMBER"),
        ("okr create --title x --set-json keyResults[0].progress=9", "has no path"),
        ("okr create --title x --start-date 2026-02-30", "2026-02-30"),
        ("okr create --title x --start-date 2026-02-02 --end-date 2026-01-01", "before"),
        ("announcement create --title x --status out", "draft"),
        ("backlog-item create --title x --status Doen", "Did you mean Done?"),
        ("idea show a2e502 --product Acne", "Did you mean Acme?"),
    ],
)
def test_a_refused_command_exits_with_2_names_the_value_and_leaves_no_trace(
    full: Cli, tmp_path: Path, typed: str, said: str
) -> None:
    before = database_dump(tmp_path)
    assert_usage_error(full(*typed.split()), said)
    assert database_dump(tmp_path) == before


def test_with_two_products_one_has_to_be_named(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path) as receiver:
        url = f"{receiver.url}hooks/leanbe"
        assert cli("product", "create", "Globex", "--webhook-url", url).status == 0
        assert_usage_error(cli("idea", "create", "--title", "x"), "--product")
        assert_usage_error(cli("idea", "list"), "--product")
        idea = document_of(cli, "idea", "create", "--title", "x", "--product", "Acme")
        assert_usage_error(cli("idea", "show", idea["_id"], "--product", "Globex"), idea["_id"])
        assert idea["product"]["name"] == "Acme"
    assert events(tmp_path) == ["idea.created"]


def test_a_customer_of_two_products_is_told_to_both(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path) as receiver:
        url = f"{receiver.url}hooks/leanbe"
        globex = ("product", "create", "Globex", "--webhook-url", url, "--secret", SECRET)
        assert cli(*globex).status == 0
        in_acme = ("--product", "Acme")
        document_of(cli, "customer", "create", "--email", "ana@example.com", *in_acme)
        joined = ("customer", "update", "ana@example.com", "--set", "products[1]=Globex", *in_acme)
        document = document_of(cli, *joined)
    assert [each["name"] for each in document["products"]] == ["Acme", "Globex"]
    assert events(tmp_path) == ["customer.created", "customer.updated", "customer.updated"]


def test_either_database_carries_an_action_to_the_receiver(
    cli: Cli, tmp_path: Path, database_url: str
) -> None:
    def on_it(*arguments: str) -> Ran:
        return cli("--db", database_url, *arguments)

    with acme_with_receiver(on_it, tmp_path):
        ana = ("customer", "create", "--email", "ana@example.com", "--set", "company.name=Globex")
        document_of(on_it, *ana)
        path = ("--set", "company.jobTitle=CTO")
        company = document_of(on_it, "customer", "update", "ana@example.com", *path)["company"]
        idea = document_of(on_it, "idea", "create", "--title", TEXT)
        voted = document_of(on_it, "idea", "upvote", idea["_id"], "--customer", "ana@example.com")
        assert titles(on_it("backlog-item", "list")) == []
    assert company == {"name": "Globex", "jobTitle": "CTO"}
    assert stringify(idea) == payload_text(saved_bodies(tmp_path)[2])
    assert (voted["upvotes"], len(saved_bodies(tmp_path))) == (1, 4)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell")
def test_a_document_goes_through_a_pipe(alone: Cli, tmp_path: Path) -> None:
    document_of(alone, "idea", "create", "--title", TEXT)
    script = f"{' '.join(PROGRAM)} idea list --output jsonl | head -1"
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, check=True
    )
    assert json.loads(ran.stdout)["title"] == TEXT

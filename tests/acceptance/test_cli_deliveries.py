"""Events from the command line to a receiver that is a process of its own, and what is kept."""

import hmac
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from leanbe_emitter import Filter, Job, Leanbe, verify
from leanbe_emitter.storage.schema.states import DeliveryStatus
from tests.support.command_line import Cli, Ran, next_line, run_process, start_program, wait_for_end
from tests.support.receiver_process import SECRET, acme_with_receiver, run_receiver, saved_bodies


def newest(cli: Cli) -> str:
    """Return the id of the newest delivery."""
    return cli("deliveries", "list", "--limit", "1").stdout.split("\t")[0]


@contextmanager
def silence() -> Iterator[str]:
    """A receiver that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_the_whole_story_arrives_and_is_verified(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("trigger", "--all", "--set-json", "extra=1", "--dry-run")
        assert ran.status == 2
        ran = cli("trigger", "--all", "--output", "json")
        assert ran.status == 0
    attempts = json.loads(ran.stdout)
    assert [attempt["outcome"] for attempt in attempts] == ["delivered"] * 22
    envelopes = [verify(body, SECRET) for body in saved_bodies(tmp_path)]
    assert [envelope.event for envelope in envelopes] == [each["event"] for each in attempts]


def test_a_command_that_only_records_loads_no_sender_and_no_documents_table(tmp_path: Path) -> None:
    run_process("product", "create", "Acme", cwd=tmp_path)
    program = (sys.executable, "-X", "importtime", "-m", "leanbe_emitter")
    ran = run_process("trigger", "idea.created", "--no-deliver", cwd=tmp_path, program=program)
    assert ran.status == 0
    loaded = {line.rpartition(" ")[2] for line in ran.stderr.splitlines()}
    assert "leanbe_emitter.library.trigger.recorder" in loaded
    needless = {
        "storage.schema.document_tables",
        "delivery.worker.worker",
        "delivery.network.http1",
        "library.handle.leanbe",
    }
    assert loaded & {f"leanbe_emitter.{each}" for each in needless} == set()


def test_a_refusal_is_1_with_the_lines_on_stdout_and_the_reason_on_stderr(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1"):
        ran = cli("trigger", "idea.created", "--output", "table")
        assert ran.status == 1
        out, back, remark = ran.stdout.splitlines()
        assert " -> idea.created   …" in out
        assert " <- 503 Service Unavailable" in back
        assert "by any worker, or --follow." in remark
        assert ran.stderr == "error: 1 of 1 attempt was not accepted.\n"
        assert cli("deliveries", "list", "--status", "pending").stdout.count("\n") == 1


def test_changes_reach_the_receiver_in_any_script(cli: Cli, tmp_path: Path) -> None:
    title = 'Gaufre "ééé" 👩‍🚀 \\ </script> \u2028'
    with acme_with_receiver(cli, tmp_path):
        ran = cli(
            "trigger",
            "idea.created",
            *("--set", f"title={title}", "--set-json", 'tags=[{"title":"x"}]'),
            *("--set", "tags[0].title=ui", "--unset", "description"),
        )
    assert (ran.status, ran.stderr) == (0, "")
    payload = verify(saved_bodies(tmp_path)[0], SECRET).payload
    assert isinstance(payload, dict)
    assert (payload["title"], payload["tags"]) == (title, [{"title": "x"}])
    assert "description" not in payload


def test_several_events_and_same_as_speak_of_one_document(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        assert cli("trigger", "idea.created", "idea.upVoted").status == 0
        assert cli("trigger", "idea.deleted", "--same-as", newest(cli)[-6:]).status == 0
    payloads = [verify(body, SECRET).payload for body in saved_bodies(tmp_path)]
    assert len({payload["_id"] for payload in payloads if isinstance(payload, dict)}) == 1


def test_follow_stays_until_the_delivery_is_settled(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1"):
        assert cli("assumptions", "set", "backoff", "50ms").status == 0
        ran = cli("trigger", "idea.created", "--follow", "--output", "jsonl")
    outcomes = [json.loads(line)["outcome"] for line in ran.stdout.splitlines()]
    assert outcomes == ["refused", "delivered"]
    assert (ran.status, ran.stderr) == (0, ""), "the delivery ended delivered, whatever it took"
    assert len(set(saved_bodies(tmp_path))) == 1, "every attempt sends the same bytes"


def test_follow_is_1_when_a_delivery_did_not_end_delivered(cli: Cli) -> None:
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    cli("assumptions", "set", "max_attempts", "1")
    for command in (("trigger", "idea.created"), ("idea", "create", "--title", "Dark mode")):
        ran = cli(*command, "--follow")
        assert ran.status == 1
        assert "error: 1 of 1 delivery did not end delivered." in ran.stderr


def test_an_event_that_is_left_to_a_worker_is_delivered_by_one(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("trigger", "idea.created", "--times", "3", "--no-deliver")
        assert ran.status == 0
        assert [line.split("\t")[2] for line in ran.stdout.splitlines()] == ["pending"] * 3
        assert saved_bodies(tmp_path) == []
        drained = cli("worker", "--drain")
        assert drained.status == 0
        assert drained.stdout.count("<-\t204 No Content") == 3
        assert drained.stderr.startswith("3 due, the oldest for ")
        assert len(saved_bodies(tmp_path)) == 3
        assert cli("deliveries", "wait", "--timeout", "30s").status == 0


def test_drain_is_0_however_the_attempts_went(cli: Cli) -> None:
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    cli("trigger", "idea.created", "--no-deliver")
    ran = cli("worker", "--drain")
    assert ran.status == 0
    assert "unreachable" in ran.stdout


def test_a_dry_run_stores_and_sends_nothing(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("trigger", "idea.created", "--dry-run", "--output", "json")
        (request,) = json.loads(ran.stdout)
        assert verify(request["body"].encode(), SECRET).event == "idea.created"
        assert saved_bodies(tmp_path) == []
        assert cli("deliveries", "list").stdout == ""


def test_an_assumption_changes_the_request_and_is_shown(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        ran = cli("trigger", "okr.created", "--assume", "pretty_body=true", "--output", "table")
    assert ran.stdout.splitlines()[-1].strip() == "assuming pretty_body=true"
    assert saved_bodies(tmp_path)[0].startswith(b'{\n  "payload"')


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("trigger", "idea.upvoted"), "idea.upVoted"),
        (("trigger", "idea.created", "--set", "titel=x"), "Did you mean title?"),
        (("trigger", "idea.created", "--product", "Acne"), "Did you mean Acme?"),
        (("trigger", "idea.created", "--assume", "max_atempts=1"), "max_attempts"),
        (("trigger", "idea.created", "--all"), "--all"),
        (("trigger", "idea.created", "--follow", "--no-deliver"), "contradict"),
        (("trigger", "idea.created", "--same-as", "abcdef"), "delivery"),
        (("trigger", "idea.created", "--strict", "--unset", "title"), "title"),
        (("product", "create", "Acme"), "Acme"),
        (("product", "create", "B", "--webhook-url", "ftp://127.0.0.1/"), "ftp"),
        (("product", "create", "B", "--insecure"), "webhook URL"),
        (("webhook", "set", "http://169.254.169.254/"), "169.254.169.254"),
        (("webhook", "set", "http://127.0.0.1/", "--header", "Content-Length: 1"), "Cont"),
        (("webhook", "show", "Acme"), "Name a product with --product."),
        (("webhook", "set", "Acme", "http://127.0.0.1/"), "too many: 'http://127.0.0.1/'"),
        (("faults", "add", "receiver-fails"), "Did you mean receiver_fails"),
        (("deliveries", "show", "abcdef"), "abcdef"),
        (("trigger", "--set", "title=x"), "EVENT is missing"),
        (("trigger", "--dry-run"), "EVENT is missing"),
        (("trigger", "idea.created", "--set-json", "upvotes=1e999"), "no finite number"),
        (("trigger", "idea.created", "--set-json", 'tags=[{"_id":1,"_id":2}]'), "'_id' is there"),
        (("product", "show", "Unlike"), "6 digits of either end"),
        (("deliveries", "show", "e4b7"), "6 digits of either end"),
        (("deliveries", "discard"), "--older-than"),
        (("deliveries", "discard", "abcdef", "--older-than", "1h"), "leave out"),
        (("deliveries", "discard", "abcdef", "--status", "pending"), "leave out"),
        (("deliveries", "list", "--event", "ideas.*"), "ideas.*"),
        (("user", "create", "--email", "owner@example.com", "--first-name", "O"), "owner@"),
        (("user", "grant", "nobody@example.com", "--product", "Acme"), "nobody@example.com"),
        (("send", "--to", "http://127.0.0.1/", "--secret", "s"), "EVENT or --body"),
        (("--db", "mysql://127.0.0.1/x", "product", "list"), "mysql"),
        (("--db", "sqlite:///x.db?mode=ro", "product", "list"), "uri=true"),
    ],
)
def test_a_refused_command_exits_with_2_and_says_what_is_wrong(
    cli: Cli, arguments: tuple[str, ...], says: str
) -> None:
    cli("product", "create", "Acme")
    ran = cli(*arguments)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")
    assert says in ran.stderr


@pytest.mark.parametrize(
    "url", ["sqlite:///no/such/folder/x.db", "postgresql://u:hidden@127.0.0.1:1/x"]
)
def test_a_database_that_is_not_there_is_3_and_its_password_stays_hidden(
    cli: Cli, url: str
) -> None:
    ran = cli("--db", url, "product", "list")
    assert (ran.status, ran.stdout) == (3, "")
    assert ran.stderr.startswith("error: ")
    assert "hidden" not in ran.stderr


def test_an_empty_postgresql_is_3_until_it_is_upgraded(cli: Cli, postgresql_url: str) -> None:
    for command in (("product", "list"), ("trigger", "idea.created"), ("db", "check")):
        ran = cli(*command, "--db", postgresql_url)
        assert (ran.status, ran.stdout) == (3, "")
        assert "leanbe-emitter db upgrade" in ran.stderr
    assert cli("db", "upgrade", "--db", postgresql_url).status == 0
    assert cli("product", "list", "--db", postgresql_url).status == 0


def test_either_database_carries_an_event_to_its_end(
    cli: Cli, tmp_path: Path, database_url: str
) -> None:
    def on_it(*arguments: str) -> Ran:
        return cli("--db", database_url, *arguments)

    with acme_with_receiver(on_it, tmp_path, "--fail-first", "1"):
        on_it("assumptions", "set", "backoff", "10ms")
        ran = on_it("trigger", "idea.created", "--verbose")
        assert ran.status == 1, ran.stderr
        assert on_it("trigger", "okr.created", "--no-deliver").status == 0
        drained = on_it("deliveries", "wait", "--timeout", "10ms")
        assert drained.status == 1
        on_it("worker", "--drain")
        assert on_it("deliveries", "wait", "--timeout", "30s").status == 0
        assert on_it("deliveries", "redeliver", newest(on_it)[-6:]).status == 0
        assert on_it("deliveries", "list", "--status", "delivered").stdout.count("\n") == 3
    assert len(saved_bodies(tmp_path)) == 4


def test_a_file_that_is_no_database_is_3(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "leanbe-emitter.db").write_text("no database at all, but a text\n" * 99)
    ran = cli("product", "list")
    assert ran.status == 3
    assert "not a database" in ran.stderr


def test_the_database_that_is_made_is_told_of_once(cli: Cli, tmp_path: Path) -> None:
    first, second = cli("product", "list"), cli("product", "list")
    assert first.stderr == "Created the database sqlite:///leanbe-emitter.db.\n"
    assert second.stderr == ""
    assert (tmp_path / "leanbe-emitter.db").exists()
    assert cli("--db", "sqlite:///other.db", "product", "list", "--quiet").stderr == ""


def test_a_product_without_a_url_owes_nothing_and_says_so(cli: Cli) -> None:
    cli("product", "create", "Acme")
    ran = cli("trigger", "idea.created")
    assert (ran.status, ran.stdout) == (0, "")
    assert "Recorded without a delivery" in ran.stderr


def test_the_product_may_be_left_out_only_while_there_is_one(cli: Cli) -> None:
    assert cli("trigger", "idea.created").status == 2
    cli("product", "create", "Acme")
    assert cli("trigger", "idea.created").status == 0
    cli("product", "create", "Globex")
    ran = cli("trigger", "idea.created")
    assert ran.status == 2
    assert "--product" in ran.stderr


def test_objects_are_named_by_name_id_and_either_end_of_it(cli: Cli) -> None:
    identifier = cli("product", "create", "Acme").stdout.split("\t")[0]
    for name in ("Acme", identifier, identifier[-6:], f"…{identifier[-6:]}", identifier[:20]):
        assert cli("product", "show", name).status == 0, name
    assert cli("product", "show", identifier[-5:]).status == 2


def test_a_secret_is_shown_at_creation_and_by_webhook_secret_only(cli: Cli) -> None:
    created = cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    secret = created.stdout.rstrip("\n").split("\t")[3]
    assert len(secret) == 64
    assert cli("webhook", "secret").stdout == f"{secret}\n"
    shown = [
        cli("product", "show", "Acme", "--output", "json"),
        cli("product", "list"),
        cli("webhook", "show"),
        cli("webhook", "show", "--output", "json"),
        cli("webhook", "set", "http://127.0.0.1:2/"),
        cli("trigger", "idea.created", "--verbose"),
        cli("webhook", "clear"),
    ]
    assert not [ran for ran in shown if secret in ran.stdout + ran.stderr]
    rotated = cli("webhook", "rotate").stdout.split("\t")[2]
    assert cli("webhook", "secret").stdout == f"{rotated}\n"
    assert rotated != secret


def test_a_webhooks_headers_go_along(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path) as receiver:
        ran = cli("webhook", "set", receiver.url, "--header", "X-Env: test")
        assert ran.status == 0
        assert cli("webhook", "test").status == 0
    headers = (tmp_path / "kept" / "0001.headers").read_text()
    assert "X-Env: test" in headers.splitlines()


def test_a_webhooks_header_is_masked_unless_the_request_itself_is_asked_for(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path) as receiver:
        cli("webhook", "set", receiver.url, "--header", "Authorization: Bearer t0ken")
        shown = [cli("trigger", "idea.created", "--output", "json")]
        delivery = newest(cli)
        shown += [
            cli("trigger", "idea.created", "--dry-run", "--output", "json"),
            *(cli("deliveries", "show", delivery, "--output", form) for form in ("json", "table")),
            cli("deliveries", "list", "--output", "json"),
        ]
    assert [ran.status for ran in shown] == [0] * len(shown)
    assert not [ran for ran in shown if "t0ken" in ran.stdout + ran.stderr]
    assert "********" in shown[1].stdout
    assert (
        "Authorization: Bearer t0ken"
        in cli("deliveries", "show", delivery, "--code", "curl").stdout
    )


def test_a_product_is_made_with_all_that_its_webhook_and_its_owner_have(
    cli: Cli, tmp_path: Path
) -> None:
    authority = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    ran = cli(
        *("product", "create", "Acme", "--webhook-url", "https://127.0.0.1:1/"),
        *("--header", "X-Env: test", "--ca-file", str(authority), "--output", "json"),
        *("--owner-email", "bo@example.com", "--owner-first-name", "Bo"),
    )
    webhook = json.loads(ran.stdout)["webhook"]
    assert (webhook["headers"], webhook["caFile"]) == (["X-Env"], str(authority))
    assert cli("user", "list").stdout.split("\t")[1:] == ["Bo", "bo@example.com\n"]
    insecure = cli(
        *("product", "create", "Globex", "--webhook-url", "https://127.0.0.1:1/"),
        *("--insecure", "--output", "json"),
    )
    assert json.loads(insecure.stdout)["webhook"]["insecure"] is True


def test_settings_of_a_webhook_can_be_reset(cli: Cli, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    to = ("webhook", "set", "https://127.0.0.1:1/", "--output", "json")
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    cli(*to, "--header", "X-Env: test", "--insecure")
    shown = json.loads(cli(*to).stdout)
    assert (shown["headers"], shown["insecure"]) == (["X-Env"], True)
    assert json.loads(cli(*to, "--ca-file", str(authority)).stdout)["caFile"] == str(authority)
    gone = json.loads(cli(*to, "--no-headers", "--secure").stdout)
    assert (gone["headers"], gone["insecure"], gone["caFile"]) == ([], False, None)


@pytest.mark.parametrize(
    "given", [("--insecure", "--secure"), ("--header", "X-Env: test", "--no-headers")]
)
def test_contradicting_options_are_refused(cli: Cli, given: tuple[str, ...]) -> None:
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    ran = cli("webhook", "set", "http://127.0.0.1:1/", *given)
    assert (ran.status, "contradict" in ran.stderr) == (2, True)


def test_a_cleared_webhook_cancels_what_is_pending(cli: Cli) -> None:
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    cli("trigger", "idea.created", "--no-deliver")
    assert cli("webhook", "clear").status == 0
    assert newest(cli) in cli("deliveries", "list", "--status", "cancelled").stdout


def test_a_delivery_is_shown_raw_and_delivered_again_with_the_same_bytes(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created", "--set", "title=é\n")
        identifier = newest(cli)
        raw = run_process("deliveries", "show", identifier, "--raw", cwd=tmp_path)
        assert cli("deliveries", "redeliver", identifier[-6:]).status == 0
    first, second = saved_bodies(tmp_path)
    assert first == second == raw.stdout.encode()


def test_a_job_delivers_again_by_filter_and_goes_on_under_its_name(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created", "idea.updated")
        by_filter = ("deliveries", "redeliver", "--status", "delivered")
        dry_runs = cli(*by_filter, "--event", "*.updated", "--dry-run")
        assert len(dry_runs.stdout.splitlines()) == 1
        assert len(saved_bodies(tmp_path)) == 2
        ran = cli(*by_filter, "--job", "once")
        assert ran.status == 0
        assert "Redelivered 2." in ran.stderr
        again = cli(*by_filter, "--job", "once")
        assert (again.status, again.stdout) == (0, "")
        assert "Redelivered 0." in again.stderr
        other = cli(*by_filter, "--event", "idea.*", "--job", "once")
        assert (other.status, other.stdout) == (2, "")
        assert "'once' redelivers: status delivered." in other.stderr
        unnamed = cli(*by_filter, "--since", "1h")
        assert "--job" in unnamed.stderr
    assert len(saved_bodies(tmp_path)) == 6


def test_deliveries_of_a_job_that_another_process_holds_are_reported(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created", "idea.updated")
        with Leanbe(f"sqlite:///{tmp_path}/leanbe-emitter.db") as leanbe:
            job = Job(name="broken-off", which=Filter(status="delivered"))
            leanbe.deliveries.redeliver(job, deliver=False)
            assert leanbe._engine.queue.claim_one(leanbe.deliveries.last().id)
        ran = cli("deliveries", "redeliver", "--status", "delivered", "--job", "broken-off")
    assert (ran.status, ran.stdout.count("204 No Content")) == (1, 1)
    assert "1 of the job is still pending, and was not attempted yet.\n" in ran.stderr
    assert "leanbe-emitter worker --drain" in ran.stderr


def test_a_given_payload_that_cannot_be_changed_is_named_in_the_refusal(
    cli: Cli, tmp_path: Path
) -> None:
    cli("product", "create", "Acme")
    (tmp_path / "five.json").write_text("5")
    (tmp_path / "mood.json").write_text('{"mood": 1}')
    for file, says in (
        ("five", "given payload is a number"),
        ("mood", "given payload cannot be changed"),
    ):
        payload = ("--payload", f"@{tmp_path / file}.json")
        ran = cli("trigger", "idea.created", *payload, "--set", "mood=2", "--no-deliver")
        assert (ran.status, ran.stdout) == (2, "")
        assert says in ran.stderr


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--job", "once")])
def test_redeliver_wants_to_know_which(cli: Cli, arguments: tuple[str, ...]) -> None:
    ran = cli("deliveries", "redeliver", *arguments)
    assert (ran.status, ran.stdout) == (2, "")
    assert "Say which: ID, --status, --event, --product or --since." in ran.stderr


def test_old_records_are_pruned(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created")
        assert cli("db", "prune", "--older-than", "1h").stdout == "0\t0\t0\t0\n"
        assert cli("deliveries", "list").stdout != ""
        assert cli("db", "prune", "--older-than", "0s").stdout == "1\t1\t1\t2\n"
        assert cli("deliveries", "list").stdout == ""
    assert cli("db", "prune").status == 2


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_command_for_curl_sends_the_same_bytes(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created", "--set", 'title=it\'s "€" $HOME `x` \\n', "--times", "1")
        command = cli("deliveries", "show", newest(cli), "--code", "curl").stdout
        subprocess.run(["sh"], input=command.encode(), check=True, timeout=60)
    first, second = saved_bodies(tmp_path)
    assert first == second


def test_a_delivery_shows_all_its_attempts(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1"):
        cli("assumptions", "set", "backoff", "10ms")
        cli("trigger", "idea.created", "--follow")
        document = json.loads(cli("deliveries", "show", newest(cli), "--output", "json").stdout)
        page = cli("deliveries", "show", newest(cli), "--output", "table").stdout.splitlines()
    assert [each["outcome"] for each in document["attempts"]] == ["refused", "delivered"]
    assert document["status"] == "delivered"
    assert f'    "_id": "{document["event"]["payload"]["_id"]}",' in page
    first, second = (place for place, line in enumerate(page) if line.startswith("Attempt "))
    assert "    Content-Type: application/json" in page[first:second]
    assert "  answered 503 Service Unavailable" in page[first:second]
    assert "  answered 204 No Content" in page[second:]


def test_discarding_gives_up_what_is_pending(cli: Cli) -> None:
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    cli("trigger", "idea.created", "--no-deliver", "--times", "2")
    one = newest(cli)
    assert cli("deliveries", "discard", one).stderr == "Discarded 1.\n"
    again = cli("deliveries", "discard", one)
    assert (again.status, f"{one} is cancelled already." in again.stderr) == (2, True)
    assert cli("deliveries", "discard", "--older-than", "1h").stderr == "Discarded 0.\n"
    assert cli("deliveries", "discard", "--status", "pending").stderr == "Discarded 1.\n"


def test_a_wait_that_times_out_is_1(cli: Cli) -> None:
    cli("product", "create", "Acme", "--webhook-url", "http://127.0.0.1:1/")
    cli("trigger", "idea.created", "--no-deliver")
    for arguments in ((), ("--event", "idea.*"), ("--status", "delivered")):
        ran = cli("deliveries", "wait", "--timeout", "50ms", *arguments)
        assert ran.status == 1
        assert ran.stderr.startswith("error: After 0.05 s ")


def test_assumptions_are_stored_per_product(cli: Cli) -> None:
    cli("product", "create", "Acme", "--assume", "max_attempts=2")
    shown = cli("assumptions", "show", "max_attempts", "--product", "Acme", "--output", "json")
    assert json.loads(shown.stdout)["value"] == "2"
    assert cli("assumptions", "set", "triggered_at", "la-offset").status == 0
    listed = cli("assumptions", "list", "--product", "Acme").stdout
    assert "triggered_at\tla-offset\t" in listed
    assert cli("assumptions", "unset", "triggered_at").status == 0
    assert "triggered_at\tutc\t" in cli("assumptions", "list", "--product", "Acme").stdout


def test_the_assumptions_of_the_only_product_apply_without_its_name(cli: Cli) -> None:
    assert "max_attempts\t5\t" in cli("assumptions", "list").stdout
    cli("product", "create", "Acme", "--assume", "max_attempts=2")
    assert "max_attempts\t2\t" in cli("assumptions", "list").stdout
    cli("product", "create", "Globex")
    ran = cli("assumptions", "list")
    assert (ran.status, "--product" in ran.stderr) == (2, True)


def test_a_products_schema_follows_its_assumptions(cli: Cli) -> None:
    article = cli("schema", "idea.created").stdout
    cli("product", "create", "Acme", "--assume", "idea_request_ref_key=_id")
    own = cli("schema", "idea.created", "--product", "Acme").stdout
    assert article != own == cli("schema", "idea.created").stdout
    assert json.loads(own)["properties"]["ideaRequests"]["items"]["required"][0] == "_id"


def test_explain_knows_the_secrets_of_the_database(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created")
        cli("webhook", "rotate", "--secret", "whsec_new")
    arguments = ("explain", "--body", "@kept/0001.json", "--secret", "whsec_new")
    ran = cli(*arguments)
    assert (ran.status, ran.stderr) == (0, "")
    assert "old secret of Acme" in ran.stdout
    assert SECRET not in ran.stdout
    (tmp_path / "leanbe-emitter.db").write_text("not one\n" * 99)
    ran = cli(*arguments)
    assert ran.status == 0
    assert "were not tried" in ran.stderr


def test_the_receiver_of_a_delivery_is_explained_without_its_body_or_secret(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created")
    body = saved_bodies(tmp_path)[0]
    raw = hmac.digest(SECRET.encode(), body, "sha256").hex()
    found = cli("deliveries", "explain", newest(cli)[-6:], "--got", raw)
    assert (found.status, found.stderr) == (0, "")
    assert "You hash the raw body" in found.stdout
    signed = cli("deliveries", "show", newest(cli), "--signed")
    assert (
        hmac.digest(SECRET.encode(), signed.stdout.encode(), "sha256").hex()
        == (json.loads(body)["signature"])
    )
    sound = cli("deliveries", "explain", newest(cli), "--output", "json")
    assert (sound.status, json.loads(sound.stdout)["verdict"]) == (1, "body-sound")
    assert "--got" in sound.stderr


def test_a_delivery_is_explained_by_the_assumptions_that_it_was_made_under(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path):
        cli("trigger", "idea.created", "--assume", "signature_location=header")
    sound = cli("deliveries", "explain", newest(cli))
    assert sound.status == 1
    assert "The body verifies with this secret. The request was made under" in sound.stdout
    missed = cli("deliveries", "explain", newest(cli), "--got", "undefined")
    assert (missed.status, missed.stderr) == (0, "")
    assert "It is in the header X-Leanbe-Signature" in missed.stdout


def test_send_stores_nothing_and_needs_no_database(cli: Cli, tmp_path: Path) -> None:
    arguments = ("send", "--secret", SECRET, "--to")
    with run_receiver(tmp_path, "--save", "kept") as receiver:
        ran = cli(*arguments, receiver.url, "idea.created", "--set", "title=Hi", "--output", "json")
        assert ran.status == 0
        assert json.loads(ran.stdout)[0]["delivery"] is None
        body = saved_bodies(tmp_path)[0]
        (tmp_path / "altered.json").write_bytes(body.replace(b"Hi", b"Ho"))
        assert cli(*arguments, receiver.url, "--body", "@altered.json").status == 0
        refused = cli(*arguments, receiver.url, "--body", "@altered.json", "--as-is")
        assert refused.status == 1
        ran = cli(*arguments, "http://127.0.0.1:1/", "idea.created", "--output", "json")
        (attempt,) = json.loads(ran.stdout)
        assert (attempt["status"], attempt["nextDueAt"]) == (None, None)
    assert saved_bodies(tmp_path)[2] == body.replace(b"Hi", b"Ho")
    assert "refused. Leanbe signs JSON.stringify(payload)" in refused.stderr
    assert not (tmp_path / "leanbe-emitter.db").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_lets_finish_what_is_in_flight(
    cli: Cli, tmp_path: Path, number: signal.Signals
) -> None:
    with acme_with_receiver(cli, tmp_path, "--delay", "300"):
        with start_program("worker", cwd=tmp_path) as worker:
            assert next_line(worker.stderr).startswith("Nothing is due")
            cli("trigger", "idea.created", "--no-deliver")
            assert "idea.created" in next_line(worker.stdout)
            came_to, stdout, stderr = wait_for_end(worker, number)
        assert came_to == 0
        assert "204 No Content" in stdout
        assert "error" not in stderr
        assert cli("deliveries", "list", "--status", "delivered").stdout != ""


def test_a_worker_that_was_to_drain_is_not_done_when_ctrl_c_ends_it(
    cli: Cli, tmp_path: Path
) -> None:
    with acme_with_receiver(cli, tmp_path, "--delay", "300"):
        cli("trigger", "idea.created", "--no-deliver")
        with start_program("worker", "--drain", cwd=tmp_path) as worker:
            assert "idea.created" in next_line(worker.stdout)
            status, _, stderr = wait_for_end(worker, signal.SIGINT)
    assert (status, "Interrupted" in stderr) == (130, True)


def test_ctrl_c_loses_nothing(cli: Cli, tmp_path: Path) -> None:
    with silence() as url:
        cli("product", "create", "Acme", "--webhook-url", url)
        with start_program("trigger", "idea.created", cwd=tmp_path) as trigger:
            assert "idea.created" in next_line(trigger.stdout)
            status, _, stderr = wait_for_end(trigger, signal.SIGINT)
    assert status == 130
    assert "Interrupted" in stderr
    assert "Traceback" not in stderr
    with Leanbe(f"sqlite:///{tmp_path / 'leanbe-emitter.db'}") as leanbe:
        delivery = leanbe.deliveries.last()
        assert delivery.status is DeliveryStatus.PENDING
        assert [attempt.outcome for attempt in delivery.attempts] == ["unknown"]


def test_tail_shows_the_attempts_of_other_processes(cli: Cli, tmp_path: Path) -> None:
    with (
        acme_with_receiver(cli, tmp_path),
        start_program("tail", "--output", "table", cwd=tmp_path) as tail,
    ):
        assert "Following" in next_line(tail.stderr)
        cli("trigger", "idea.created")
        assert " -> idea.created" in next_line(tail.stdout)
        assert " <- 204 No Content" in next_line(tail.stdout)
        assert wait_for_end(tail, signal.SIGINT) == (0, "", "")


def test_tail_shows_the_attempts_that_are_asked_for_with_their_bodies(
    cli: Cli, tmp_path: Path
) -> None:
    wanted = ("--product", "Acme", "--event", "idea.*", "--status", "delivered", "--bodies")
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1") as receiver:
        cli("product", "create", "Globex", "--webhook-url", receiver.url, "--secret", SECRET)
        with start_program("tail", *wanted, cwd=tmp_path) as tail:
            assert "Following" in next_line(tail.stderr)
            assert cli("trigger", "idea.created", "--product", "Acme").status == 1
            cli("trigger", "idea.updated", "--product", "Globex")
            cli("trigger", "okr.created", "--product", "Acme")
            cli("trigger", "idea.upVoted", "--product", "Acme")
            assert "\tidea.upVoted\t" in next_line(tail.stdout)
            assert next_line(tail.stdout) == saved_bodies(tmp_path)[-1].decode()
            assert "204 No Content" in next_line(tail.stdout)
            assert wait_for_end(tail, signal.SIGINT) == (0, "", "")

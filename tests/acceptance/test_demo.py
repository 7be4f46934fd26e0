"""The main job for real: ``demo`` as a process, with its receiver, its database and Node.js."""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from leanbe_emitter import verify
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER
from tests.support.command_line import Ran, run_process
from tests.support.doc_pages import README
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.receiver_process import SECRET, run_receiver, saved_bodies


def demo(folder: Path, *arguments: str) -> Ran:
    """Run the demo with a temporary folder of its own, so that what it leaves can be seen."""
    temporary = folder / "temporary"
    temporary.mkdir()
    return run_process("demo", *arguments, cwd=folder, environ={"TMPDIR": str(temporary)})


def below(lines: list[str], words: str) -> str:
    """Return the line below the first line with these words."""
    return next(after for line, after in pairwise(lines) if words in line)


def left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name != "temporary"]


def test_every_event_is_verified_one_is_retried_and_the_readme_shows_it(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--output", "table")
    assert (ran.status, ran.stderr) == (0, "")
    assert left_behind(tmp_path) == []
    assert ran.stdout.splitlines()[-1] == "22 of 22 verified by the receiver"
    lines = ran.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if " verified " in line and " ms" in line]
    assert [row.split()[0] for row in rows] == [*LIFECYCLE_ORDER, "customer.created"]
    assert "503 Service Unavailable" in rows[0]
    assert "again in" in lines[lines.index(rows[0]) + 1]
    assert rows[-1].split()[1] == "2"
    picture = "event" + README.partition("```text\nevent")[2].partition("```")[0]
    printed = {_shape(line) for line in ran.stdout.splitlines()}
    for line in picture.splitlines():
        assert line == "..." or "Node.js" in line or _shape(line) in printed, line


def _shape(line: str) -> str:
    """Return a line without its figures of time."""
    return re.sub(r" +\d+\.\d ms", " N ms", line)


def test_it_acts_over_a_servers_api_opens_no_database_itself_and_says_how_it_went(
    tmp_path: Path,
) -> None:
    program = (sys.executable, "-X", "importtime", "-m", "leanbe_emitter")
    ran = run_process("demo", "--output", "plain", cwd=tmp_path, program=program)
    assert ran.status == 0
    assert "leanbe_emitter.api_client" in ran.stderr
    assert "sqlalchemy" not in ran.stderr
    said = [line for line in ran.stderr.splitlines() if not line.startswith("import time:")]
    assert said == ["22 of 22 verified by the receiver"]


@pytest.mark.node
def test_node_verifies_every_body_by_the_articles_own_formula(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--output", "json")
    document = json.loads(ran.stdout)
    assert "verifies 23 of 23 bodies" in document["node"]
    assert (document["accepted"], document["events"]) == (22, 22)


def test_a_dead_receiver_ends_in_exit_1_and_the_reason(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--to", "http://127.0.0.1:1/", "--secret", "whsec_test")
    assert ran.status == 1
    assert "0 of 22 accepted by http://127.0.0.1:1/" in ran.stderr
    assert "customer.created" in ran.stderr
    assert left_behind(tmp_path) == []


def test_a_url_without_its_secret_is_an_error_of_usage(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--to", "http://127.0.0.1:1/")
    assert ran.status == 2
    assert "--to and --secret go together" in ran.stderr


def test_a_url_that_must_not_be_called_is_refused(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--to", "http://169.254.169.254/", "--secret", "whsec_test")
    assert ran.status == 2
    assert "169.254.169.254" in ran.stderr


def test_the_story_tells_each_action_with_its_events_and_answers(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--story", "--output", "table")
    assert (ran.status, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    total = sum(1 for line in lines if line.startswith(" " * 6) and line.endswith(" verified"))
    assert lines[-1] == f"{total} of {total} verified by the receiver"
    assert max(map(len, lines)) <= 80
    first = below(lines, "Ana becomes a customer")
    assert "customer.created" in first
    assert "503" in first, "the first attempt fails, and is made again"
    assert "204" in first
    assert below(lines, "refused").endswith("(no event)")
    assert left_behind(tmp_path) == []


@pytest.mark.node
def test_all_22_events_occur_in_the_story_and_node_verifies_every_request(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--story", "--output", "json")
    document = json.loads(ran.stdout)
    told = [event["event"] for step in document["steps"] for event in step["events"]]
    assert set(told) == set(LIFECYCLE_ORDER)
    assert document["accepted"] == document["events"] == len(told)
    bodies = len(told) + 1
    assert f"verifies {bodies} of {bodies} bodies" in document["node"]
    assert len(document["steps"]) >= 40


def test_the_story_can_be_told_to_a_receiver_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    with run_receiver(tmp_path / "theirs", "--save", "kept") as receiver:
        ran = demo(tmp_path, "--story", "--to", receiver.url, "--secret", SECRET)
    assert ran.status == 0, ran.stderr
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    sent = [event for _, _, event, answer, _ in rows if answer]
    bodies = saved_bodies(tmp_path / "theirs")
    assert [verify(body, SECRET).event for body in bodies] == sent


def test_a_story_is_a_stream_of_its_steps(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--story", "--output", "jsonl")
    steps = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert steps[1]["action"] == "Ana becomes a customer"
    assert [each["attempt"] for each in steps[1]["events"][0]["attempts"]] == [1, 2]


def test_a_story_that_is_refused_from_its_first_event_on_ends_with_it_and_the_reason(
    tmp_path: Path,
) -> None:
    with LoopbackReceiver.listening() as receiver:
        receiver.statuses.extend([401] * 100)
        ran = demo(tmp_path, "--story", "--to", receiver.url, "--secret", "whsec_test")
    assert ran.status == 1
    told = [line.split("\t")[:4] for line in ran.stdout.splitlines()]
    assert told[-1] == ["2", "Ana becomes a customer", "customer.created", "401, 401, 401"]
    assert len(receiver.requests) == 3
    assert ran.stderr.splitlines() == [
        f"error: 0 of 1 accepted by {receiver.url}",
        "       The receiver refused the first event, customer.created: 401 Unauthorized.",
        "       The story ends there, with step 2.",
        "       Check that the receiver accepts POST at that URL, and verifies with that secret.",
    ]


def test_a_story_that_nobody_listens_to_ends_with_its_first_event_and_the_reason(
    tmp_path: Path,
) -> None:
    ran = demo(tmp_path, "--story", "--to", "http://127.0.0.1:1/", "--secret", "whsec_test")
    assert ran.status == 1
    told = [line.split("\t")[:3] for line in ran.stdout.splitlines()]
    assert told[-1] == ["2", "Ana becomes a customer", "customer.created"]
    assert ran.stderr.splitlines() == [
        "error: 0 of 1 accepted by http://127.0.0.1:1/",
        "       Nobody answered customer.created: connection refused by 127.0.0.1:1.",
        "       The story ends there, with step 2.",
        "       Check that a receiver listens at that URL; without --to, the demo starts one.",
    ]

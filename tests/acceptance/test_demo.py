"""The main job for real: ``demo`` as a process, with its receiver, its database and Node.js."""

import json
from pathlib import Path

import pytest

from leanbe_emitter.wire.samples import STORY_ORDER
from tests.command_line import Ran, run_process


def demo(folder: Path, *arguments: str) -> Ran:
    """Run the demo with a temporary folder of its own, so that what it leaves can be seen."""
    temporary = folder / "temporary"
    temporary.mkdir()
    return run_process("demo", *arguments, cwd=folder, environ={"TMPDIR": str(temporary)})


def left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name != "temporary"]


def test_every_event_is_verified_and_one_is_retried(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--output", "table")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "22 of 22 verified by the receiver"
    rows = [line for line in ran.stdout.splitlines() if " verified " in line and " ms" in line]
    assert [row.split()[0] for row in rows] == [*STORY_ORDER, "customer.created"]
    assert "503 Service Unavailable" in rows[0]
    assert "again in" in rows[0]
    assert rows[-1].split()[1] == "2"


def test_it_leaves_nothing_behind_and_says_how_it_went(tmp_path: Path) -> None:
    ran = demo(tmp_path, "--output", "plain")
    assert (ran.status, ran.stderr) == (0, "22 of 22 verified by the receiver\n")
    assert left_behind(tmp_path) == []


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

"""``check`` as users run it: what it prints, how it ends, and the receiver that it starts."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import run_process
from tests.support.flaw_matrix import FINDINGS, START_FINDINGS
from tests.support.ports import free_port
from tests.support.receiver_process import SECRET, ReceiverProcess, run_receiver


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverProcess]:
    """A receiver with a flaw that is a ``should``."""
    with run_receiver(tmp_path_factory.mktemp("receiver"), "--flaw", "charset_refused") as running:
        yield running


def check(url: str, *arguments: str, folder: Path) -> tuple[int, str, str]:
    ran = run_process("check", url, "--secret", SECRET, *arguments, cwd=folder)
    return ran.status, ran.stdout, ran.stderr


def test_a_should_fails_a_strict_run_only(receiver: ReceiverProcess, tmp_path: Path) -> None:
    status, printed, said = check(receiver.url, "http.*", "--output", "table", folder=tmp_path)
    assert (status, said) == (0, "")
    assert "fail  http        http.charset" in printed
    status, _, said = check(receiver.url, "http.*", "--strict", folder=tmp_path)
    assert status == 1
    assert "The receiver is not right: 1 fail" in said


def test_reports_go_to_files_and_to_stdout(receiver: ReceiverProcess, tmp_path: Path) -> None:
    wanted = ["http.charset", "--report", "json", "--report", "junit=found.xml"]
    status, printed, _ = check(receiver.url, *wanted, "--seed", "7", folder=tmp_path)
    report = json.loads(printed)
    assert (status, report["seed"], report["counts"]["fail"]) == (0, 7, 1)
    assert "http.charset" in (tmp_path / "found.xml").read_text()


def test_the_checks_are_listed(tmp_path: Path) -> None:
    ran = run_process("check", "--list", cwd=tmp_path)
    assert "idempotency.concurrent\tmust\tnetwork\t" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["http://127.0.0.1:9/"], 3, "Nobody answers"),
        (["http://127.0.0.1:9/", "sinature.*"], 2, "No check matches"),
        (["http://127.0.0.1:9/", "--observe", "/no/such"], 2, "cannot be run"),
        (["http://8.8.8.8/"], 2, "only loopback and private networks"),
        (["http://127.0.0.1:9/", "--report", "html"], 2, "no format of a report"),
        (["http://127.0.0.1:9/", "--start", "false"], 3, "before it listened"),
    ],
)
def test_a_check_that_cannot_be_made_says_why(
    arguments: list[str], status: int, words: str, tmp_path: Path
) -> None:
    ran_status, _, said = check(*arguments, folder=tmp_path)
    assert ran_status == status, said
    assert words in said


@pytest.mark.parametrize("flaw", ["none", *START_FINDINGS])
@pytest.mark.prove
def test_a_receiver_that_is_started_and_killed_loses_what_its_flaw_loses(
    flaw: str, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = f"{sys.executable} -m leanbe_emitter"
    start = f"{program} receiver --secret {SECRET} --port {port} --flaw {flaw} --save kept"
    status, printed, said = check(
        f"{url}/hook",
        *("--start", start, "--observe-url", f"{url}/effects", "--report", "json"),
        folder=tmp_path,
    )
    assert status == 0, said
    found = {
        each["id"]
        for each in json.loads(printed)["checks"]
        if each["verdict"] in {"fail", "warn", "error"}
    }
    assert found == FINDINGS[flaw] | START_FINDINGS.get(flaw, frozenset())
    assert json.loads(printed)["counts"]["skipped"] == 0

"""The suite in another language passes over HTTP; with a mistake in the receiver it names it."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.command_line import environment
from tests.support.example_suites import Example, Ran
from tests.support.server_process import run_server
from tests.support.warm_process import path_of_shells

pytestmark = pytest.mark.node

USE = "what is done is shipped"
OUTAGE = "an outage loses nothing"
AGAIN = "what comes again is shipped once"
UNKNOWN = "an event that nobody knows is accepted"
FORGED = {
    f"what leanbe did not sign is refused: {kind}"
    for kind in ("wrong_secret", "tampered_payload", "missing_signature")
}
NOT_SIGNED = "refused 401 bad signature"

#: What would make a suite slow, or flaky.
IMPATIENT = re.compile(r"\b(setTimeout|setInterval|sleep|while)\b")


@pytest.fixture
def example(tmp_path: Path) -> Example:
    return Example("node", tmp_path)


def run(example: Example, *command: str, environ: Mapping[str, str] | None = None) -> Ran:
    """Run a command that ends in ``node --test``, with a report that can be read."""
    finished = subprocess.run(
        [*command, "--test-reporter=tap"],
        cwd=example.folder,
        env={**environment(environ), "PATH": path_of_shells()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    printed = finished.stdout
    reports = re.findall(r"^not ok \d+ - (.*)\n((?: .*\n)+)", printed, re.MULTILINE)
    return Ran(status=finished.returncode, printed=printed, failed=dict(reports))


def documented_command(example: Example) -> Sequence[str]:
    """Return the words of the command that README and package.json name."""
    command: str = json.loads(example.read("package.json"))["scripts"]["test"]
    assert f"\n{command}\n" in example.read("README.md")
    return command.split()


def reports_with_flaw(example: Example, flaw: str, *options: str) -> Mapping[str, str]:
    """Return the reports of the tests that find a flaw."""
    example.apply_flaw(flaw)
    ran = run(example, *documented_command(example), *options)
    assert ran.status == 1, ran.printed
    return ran.failed


def test_the_suite_passes_without_a_package_a_sleep_or_a_loop_that_asks_again(
    example: Example,
) -> None:
    assert "dependencies" not in json.loads(example.read("package.json"))
    for name in ("shipped.test.js", "emitter.js"):
        assert not IMPATIENT.search(example.read(name))
    ran = run(example, *documented_command(example))
    assert (ran.status, ran.failed) == (0, {}), ran.printed
    assert "\n# pass 7\n" in ran.printed


def test_it_passes_against_a_server_of_ones_own_that_asks_for_a_token(
    example: Example, tmp_path: Path
) -> None:
    token = {"LEANBE_EMITTER_TOKEN": "let-me-in"}
    with run_server(tmp_path, "--ephemeral", "--clock", "manual", environ=token) as served:
        told = {**token, "LEANBE_EMITTER_URL": served.ready["url"]}
        ran = run(example, "node", "--test", environ=told)
        refused = run(example, "node", "--test", environ={**told, "LEANBE_EMITTER_TOKEN": ""})
    assert ran.status == 0, ran.printed
    assert "reset: The token is missing or wrong." in refused.failed[USE]


@pytest.mark.prove
def test_of_two_mistakes_each_is_found_by_the_one_test_of_it(example: Example) -> None:
    """A signature that is not checked, and what is done again: they change different lines."""
    example.apply_flaw("not_idempotent")
    failed = dict(reports_with_flaw(example, "signature_skipped"))
    again = failed.pop(AGAIN)
    assert re.search(r"actual:\n +0: 'Themes'\n +1: 'Themes'\n", again), again
    assert set(failed) == FORGED
    for report in failed.values():
        assert f"-   'backlogItem.statusChanged: {NOT_SIGNED}'" in report
        assert "+   'backlogItem.statusChanged: delivered'" in report


@pytest.mark.prove
def test_a_raw_body_that_is_hashed_is_a_bad_signature_everywhere(example: Example) -> None:
    failed = reports_with_flaw(example, "raw_body_hashed")
    assert set(failed) == {USE, OUTAGE, AGAIN, UNKNOWN}
    assert f"+   'backlogItem.created: {NOT_SIGNED}'" in failed[USE]


@pytest.mark.prove
def test_an_error_of_the_receiver_is_printed_and_answered_with_500(example: Example) -> None:
    example.apply_flaw("crashes_on_unknown_event")
    ran = run(example, *documented_command(example))
    assert set(ran.failed) == {USE, UNKNOWN}
    assert "+   'backlogItem.statusChanged: refused 500'" in ran.failed[UNKNOWN]
    thrown = r"TypeError: handle is not a function\n.*at receive .*shipped\.js"
    assert re.search(thrown, ran.printed), ran.printed


@pytest.mark.prove
def test_an_answer_that_comes_late_is_none(example: Example) -> None:
    failed = reports_with_flaw(example, "blocks", f"--test-name-pattern={USE}")
    late = "+   'backlogItem.created: unknown no complete answer within 3 s'"
    assert late in failed[USE]

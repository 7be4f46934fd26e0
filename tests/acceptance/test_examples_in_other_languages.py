"""The suites in PHP and Go pass over HTTP; with a mistake in the receiver they name it."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from leanbe_emitter.snippets import client
from tests.support.command_line import environment
from tests.support.example_suites import FOLDER, Example, Ran
from tests.support.warm_process import path_of_shells

NOT_SIGNED = "refused 401 bad signature"
#: What would make a suite slow, or flaky.
IMPATIENT = re.compile(r"\b([Ss]leep|usleep|while|time\.After)\b")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """An example, with the words that it prints.

    Attributes:
        name: its folder.
        command: the command that runs its suite.
        report: matches the name of a failed test and its report.
        only: the option that names the one test to run.
        passed: stands in the output if all tests pass.
        files: the files of the suite.
        event: the event that its receiver handles.
        use, outage, again, unknown, forged: the names of its tests. The last one begins the names
            of three.
        twice: what it says of an effect that happened twice.
        crash: what the receiver's crash prints, and what the suite says of it.
    """

    name: str
    command: Sequence[str]
    report: re.Pattern[str]
    only: str
    passed: str
    files: Sequence[str]
    event: str
    use: str
    outage: str
    again: str
    unknown: str
    forged: str
    twice: str
    crash: tuple[str, str]

    def run(self, example: Example, *options: str) -> Ran:
        """Run the suite of a copy."""
        finished = subprocess.run(
            [*self.command, *options],
            cwd=example.folder,
            env={**environment(), "PATH": path_of_shells()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,  # Go's first run on a machine compiles its HTTP library
        )
        failed = dict(self.report.findall(finished.stdout))
        return Ran(status=finished.returncode, printed=finished.stdout, failed=failed)


SUITES = {
    "php": Suite(
        name="php",
        command=("leanbe-emitter", "exec", "--", "phpunit"),
        report=re.compile(
            r"^\d+\) WelcomeTest::(.*)\n((?:.+\n|\n(?!\d+\) |--|FAIL|ERR))+)", re.MULTILINE
        ),
        only="--filter",
        passed="OK (7 tests, 13 assertions)",
        files=("WelcomeTest.php", "emitter.php"),
        event="customer.created",
        use="testANewCustomerGetsALetter",
        outage="testAnOutageLosesNothing",
        again="testACustomerWhoComesAgainGetsOneLetter",
        unknown="testAnEventThatNobodyKnowsIsAccepted",
        forged="testWhatLeanbeDidNotSignIsRefused with data set",
        twice="+    1 => 'Ana'",
        crash=("Value of type null is not callable", "refused 500"),
    ),
    "go": Suite(
        name="go",
        command=("leanbe-emitter", "exec", "--", "go", "test"),
        report=re.compile(r"^ *--- FAIL: (\S+) \(.*\)\n((?: +(?! |--- FAIL).*\n)+)", re.MULTILINE),
        only="-run",
        passed="ok  \troadmap",
        files=("roadmap_test.go", "emitter_test.go"),
        event="idea.promoted",
        use="TestWhatIsPromotedIsOnTheRoadmap",
        outage="TestAnOutageLosesNothing",
        again="TestWhatComesAgainIsOnTheRoadmapOnce",
        unknown="TestAnEventThatNobodyKnowsIsAccepted",
        forged="TestWhatLeanbeDidNotSignIsRefused/",
        twice='found:  ["Themes" "Themes"]',
        crash=("http: panic serving", "unknown"),
    ),
}


@pytest.fixture(
    params=[
        pytest.param("php", marks=pytest.mark.phpunit),
        pytest.param("go", marks=pytest.mark.go),
    ]
)
def suite(request: pytest.FixtureRequest) -> Suite:
    """Each suite."""
    if request.param == "php" and not has_sqlite():
        pytest.skip("PHP's extension pdo_sqlite is not installed")
    return SUITES[request.param]


@pytest.fixture
def example(suite: Suite, tmp_path: Path) -> Example:
    """A copy of the example."""
    return Example(suite.name, tmp_path)


def has_sqlite() -> bool:
    """Say whether PHP can open SQLite; where PHPUnit is required, it has to."""
    asked = ["php", "-r", "exit((int) !extension_loaded('pdo_sqlite'));"]
    is_required = "phpunit" in os.environ.get("TESTS_REQUIRE", "")
    return is_required or subprocess.run(asked, check=False).returncode == 0


def reports_with_flaw(
    suite: Suite, example: Example, flaw: str, *options: str
) -> Mapping[str, str]:
    """Return the reports of the tests that find a flaw."""
    example.apply_flaw(flaw)
    ran = suite.run(example, *options)
    assert ran.status == 1, ran.printed
    assert ran.failed, ran.printed
    return ran.failed


def test_the_suite_passes_without_a_package_a_sleep_or_a_loop_that_asks_again(
    suite: Suite, example: Example
) -> None:
    for name in suite.files:
        assert not IMPATIENT.search(example.read(name))
    assert f"\n{' '.join(suite.command)}\n" in example.read("README.md")
    ran = suite.run(example)
    assert (ran.status, ran.failed) == (0, {}), ran.printed
    assert suite.passed in ran.printed


@pytest.mark.prove
def test_of_two_mistakes_each_is_found_by_the_one_test_of_it(
    suite: Suite, example: Example
) -> None:
    """A signature that is not checked, and what is done again: they change different lines."""
    example.apply_flaw("not_idempotent")
    failed = dict(reports_with_flaw(suite, example, "signature_skipped"))
    assert suite.twice in failed.pop(suite.again)
    assert len(failed) == 3
    for test, report in failed.items():
        assert test.startswith(suite.forged)
        assert f"{suite.event}: delivered" in report
        assert f"{suite.event}: {NOT_SIGNED}" in report


@pytest.mark.prove
def test_a_raw_body_that_is_hashed_is_a_bad_signature_everywhere(
    suite: Suite, example: Example
) -> None:
    failed = reports_with_flaw(suite, example, "raw_body_hashed")
    assert set(failed) == {suite.use, suite.outage, suite.again, suite.unknown}
    assert f": {NOT_SIGNED}" in failed[suite.use]


@pytest.mark.prove
def test_an_error_of_the_receiver_is_printed(suite: Suite, example: Example) -> None:
    example.apply_flaw("crashes_on_unknown_event")
    ran = suite.run(example)
    assert suite.unknown in ran.failed, ran.printed
    printed, said = suite.crash
    assert printed in ran.printed
    assert f"{suite.event}: {said}" in ran.failed[suite.unknown]


@pytest.mark.prove
def test_an_answer_that_comes_late_is_none(suite: Suite, example: Example) -> None:
    failed = reports_with_flaw(suite, example, "blocks", suite.only, suite.use)
    assert ": unknown no complete answer within 3 s" in failed[suite.use]


@pytest.mark.parametrize(
    ("language", "file"),
    [("js", "node/emitter.js"), ("php", "php/emitter.php"), ("go", "go/emitter_test.go")],
)
def test_the_client_of_an_example_is_the_one_that_snippet_prints(language: str, file: str) -> None:
    assert (FOLDER / file).read_text() == client(language)

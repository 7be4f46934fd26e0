"""The suites of ``examples/`` pass; with a mistake in the receiver they fail, and say which."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.example_suites import FOLDER, NAMES, QUIET, Example, Ran

Copied = Callable[[str], Example]

FLAWS = {
    "signature_skipped",
    "raw_body_hashed",
    "not_idempotent",
    "crashes_on_unknown_event",
    "blocks",
}


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The names that an example gives to the claims of all examples.

    Attributes:
        use: that it does what it is for.
        again: that an event which comes again changes nothing.
        forged: that a wrong signature is refused.
        unknown: that events which nobody knows are accepted.
    """

    use: str
    again: str
    forged: str = "test_an_unsigned_or_forged_event_is_refused"
    unknown: str = "test_an_event_that_nobody_knows_is_accepted"


CLAIMS = {
    "fastapi": Claims(
        use="test_a_published_announcement_is_shown",
        again="test_an_event_that_comes_again_is_no_news",
    ),
    "flask": Claims(use="test_votes_are_counted", again="test_a_vote_that_comes_again_counts_once"),
    "django": Claims(
        use="test_a_customer_is_known_and_kept_up_to_date",
        again="test_a_wish_that_comes_again_counts_once",
    ),
}
each_example = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """Copy an example."""
    return lambda name: Example(name, tmp_path)


def run_with_flaw(example: Example, flaw: str, *options: str) -> Ran:
    """Run the suite of a receiver with a flaw."""
    example.apply_flaw(flaw)
    ran = example.run(*options)
    assert ran.status == 1, ran.printed
    return ran


def test_each_folder_is_an_example_with_the_same_flaws() -> None:
    folders = [each.parent for each in FOLDER.glob("*/flaws")]
    assert {each.name for each in folders} == {*NAMES, "node", "php", "go"}
    assert set(NAMES) == set(CLAIMS)
    for each in folders:
        assert {patch.stem for patch in (each / "flaws").iterdir()} == FLAWS


@pytest.mark.parametrize(
    ("options", "plugins"),
    [((), ()), pytest.param(("-n", "2"), ("xdist",), marks=pytest.mark.prove)],
    ids=["alone", "over workers"],
)
@each_example
def test_the_suite_passes_in_a_random_order_without_ports_or_sleep(
    copied: Copied, name: str, options: Sequence[str], plugins: Sequence[str]
) -> None:
    example = copied(name)
    example.write("quiet.py", QUIET)
    ran = example.run(*options, plugins=("quiet", "pytest_randomly", *plugins))
    assert ran.status == 0, ran.printed
    assert re.search(r"^=+ \d+ passed in [^,]*$", ran.printed, re.MULTILINE), ran.printed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fastapi", "assert ['Themes', 'T...es', 'Themes'] == ['Themes']"),
        ("flask", "assert {'Dark': 4} == {'Dark': 1}"),
        ("django", "assert 4 == 1"),
    ],
)
@pytest.mark.prove
def test_of_two_mistakes_each_is_found_by_the_one_test_of_it(
    copied: Copied, name: str, said: str
) -> None:
    """A signature that is not checked, and what is done again: they change different lines."""
    example = copied(name)
    example.apply_flaw("not_idempotent")
    failed = dict(run_with_flaw(example, "signature_skipped").failed)
    assert said in failed.pop(CLAIMS[name].again)
    assert {_without_parameters(test) for test in failed} == {CLAIMS[name].forged}
    assert len(failed) == 3
    for report in failed.values():
        assert re.search(r" was not refused\.\nE +Delivered:\n", report)


@each_example
@pytest.mark.prove
def test_a_raw_body_that_is_hashed_stands_first_among_the_mistakes(
    copied: Copied, name: str
) -> None:
    ran = run_with_flaw(copied(name), "raw_body_hashed")
    claims = CLAIMS[name]
    assert {claims.use, claims.again, claims.unknown} <= set(ran.failed)
    # It refuses the forged ones, too: rightly, if for a wrong reason.
    assert claims.forged not in map(_without_parameters, ran.failed)
    assert all("refused 401" in report for report in ran.failed.values())
    # In a TestCase it is a note of the error's, which pytest marks with an E. A run lists once,
    # or once for each kind of test.
    first = re.compile(r"frequent ones first\):\n(E +)?- You hash the raw body\. ")
    lists = [report for report in ran.failed.values() if first.search(report)]
    assert 1 <= len(lists) <= 2


@each_example
@pytest.mark.prove
def test_a_receivers_exception_is_raised_in_the_test(copied: Copied, name: str) -> None:
    ran = run_with_flaw(copied(name), "crashes_on_unknown_event")
    claims = CLAIMS[name]
    assert not {claims.use, claims.again} & set(ran.failed)
    report = ran.failed[claims.unknown]
    assert re.search(
        r"^> +handle = HANDLERS\[envelope\.event\]\n.*\nE +KeyError: '\w+\.\w+'\n",
        report,
        re.MULTILINE,
    )


@each_example
@pytest.mark.prove
def test_the_line_that_blocks_is_named_after_about_a_second(copied: Copied, name: str) -> None:
    use = CLAIMS[name].use
    ran = run_with_flaw(copied(name), "blocks", "-k", use)
    took = re.search(
        r"attempt 1: unknown +(\d+) ms\n +no complete answer within 1 s: the app \w+ at "
        r"\S+\.py:\d+ in receive: time\.sleep\(20\)\n",
        ran.failed[use],
    )
    assert took is not None
    assert 1_000 <= int(took[1]) < 5_000


def _without_parameters(test: str) -> str:
    return test.partition("[")[0]

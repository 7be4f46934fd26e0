"""docs/faults.md tells what the catalogue tells, and its examples run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, ActsOn, FaultKind
from tests.support.user_suites import Suite

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text() + "\n"

pytest_plugins = ["pytester"]


def entry(kind: FaultKind) -> Iterator[str]:
    """Yield the lines that the page has of a kind."""
    yield f"**`{kind.name}`** {kind.meaning}"
    yield ""
    for how, meaning in kind.how.items():
        default = " (the default)" if how == kind.default else ""
        yield f"- `{how}`: {meaning}{default}"
    if kind.default and kind.default not in kind.how:
        yield f"- the default: `{kind.default}`"
    for how, meaning in kind.on_record.items():
        yield f"- on record as `{kind.name}:{how}`: {meaning}"


@pytest.mark.parametrize("kind", FAULT_KINDS, ids=lambda kind: kind.name)
def test_the_page_has_the_catalogues_entry(kind: FaultKind) -> None:
    assert "\n".join(entry(kind)).rstrip() + "\n\n" in PAGE


def test_the_page_has_no_other_entries_and_groups_them_as_the_catalogue_does() -> None:
    named = re.findall(r"^## .*\((\w+)\)$|^\*\*`(\w+)`\*\*", PAGE, re.MULTILINE)
    wanted: list[tuple[str, str]] = []
    for group in ActsOn:
        wanted.append((group.value, ""))
        wanted += [("", each.name) for each in FAULT_KINDS if each.acts_on is group]
    assert named == wanted


def test_the_pages_examples_pass(pytester: pytest.Pytester) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    finished = Suite(pytester).run("\n\n".join(examples))
    assert len(examples) > 1
    finished.assert_outcomes(passed="\n".join(examples).count("def test_"))

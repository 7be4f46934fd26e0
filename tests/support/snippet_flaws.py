"""Flaws of the receivers that ``snippet`` prints, as changes of their text."""

from collections.abc import Mapping
from dataclasses import dataclass

from leanbe_emitter.snippets import snippet


@dataclass(frozen=True, kw_only=True)
class SnippetFlaw:
    """A mistake that people make in one language.

    Attributes:
        edits: pieces of the right receiver's text, each with what stands there instead.
        findings: the ids of the checks that find it: these, and no others.
        repair: a piece of the line that the report has in this language.
        cause: words of the mistake that the report names; empty if it names none.
    """

    edits: Mapping[str, str]
    findings: frozenset[str]
    repair: str
    cause: str = ""


def flawed(name: str, *edits: Mapping[str, str]) -> str:
    """Return a snippet with these changes; each piece stands in it once."""
    text = snippet(name)
    for changes in edits:
        for right, wrong in changes.items():
            assert text.count(right) == 1, right
            text = text.replace(right, wrong)
    return text

"""A mistake as users see it: in words, with the signatures that it gives, and with its repair."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leanbe_emitter.wire.explain.languages import USUAL, Language
from leanbe_emitter.wire.explain.mistakes import ContentMistake, Mistake
from leanbe_emitter.wire.explain.search import Search, Step
from leanbe_emitter.wire.stringify import JSON

#: The most languages whose repairs are shown.
_MOST_LANGUAGES = 3


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A mistake, and the signatures that a receiver with this mistake computes from this request.

    Attributes:
        mistake: the mistake.
        what: the mistake in words.
        signatures: the signatures that it gives; empty for a receiver that looks for the signature
            in the wrong place, because it computes nothing wrong.
        languages: the languages whose repairs are shown: the one that was asked for, or else those
            in which people make this mistake.
        fixes: the line that repairs it, in each language.
    """

    mistake: Mistake
    what: str
    signatures: tuple[str, ...]
    languages: tuple[Language, ...]
    fixes: Mapping[Language, str]

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "name": self.mistake.name,
            "what": self.what,
            "signatures": list(self.signatures),
            "language": self.languages[0].value,
            "fix": self.fixes[self.languages[0]],
            "javascript": self.fixes[Language.JAVASCRIPT],
            "python": self.fixes[Language.PYTHON],
        }


class Teller:
    """Tells the steps of a search as candidates.

    Args:
        search: the search that found them.
        to_receiver: whether the reader is the receiver's author; otherwise the mistake is the
            sender's.
    """

    def __init__(self, search: Search, *, to_receiver: bool = True) -> None:
        self._search = search
        self._request = search.request
        self._to_receiver = to_receiver

    def all_of(self, steps: Iterable[Step]) -> tuple[Candidate, ...]:
        """Return a candidate for each mistake, with all of its signatures."""
        groups: dict[tuple[int, str], list[Step]] = {}
        for step in steps:
            told = self._told(step.mistake, step.value)
            groups.setdefault((id(step.mistake), told), []).append(step)
        return tuple(self._of(group, told) for (_, told), group in groups.items())

    def of(self, step: Step) -> Candidate:
        """Return the candidate of a step."""
        return self._of([step], self._told(step.mistake, step.value))

    def causes(self, digits: str) -> tuple[Candidate, ...]:
        """Return the mistake that gives these digits, or those that give them together."""
        return tuple(self.of(step) for step in self._search.causes(digits))

    def _of(self, group: list[Step], told: str) -> Candidate:
        step = group[0]
        alike = self._alike(step)
        return self._candidate(
            step.mistake,
            what=told + _also(step.mistake, alike),
            signatures=tuple(each.digest for each in group),
            languages=_languages_of(step.mistake, alike),
        )

    def of_mistake(self, mistake: Mistake, *, signatures: tuple[str, ...] = ()) -> Candidate:
        """Return the candidate of a mistake that no search found."""
        return self._candidate(
            mistake,
            what=self._told(mistake, b""),
            signatures=signatures,
            languages=mistake.languages,
        )

    def _candidate(
        self,
        mistake: Mistake,
        *,
        what: str,
        signatures: tuple[str, ...],
        languages: tuple[Language, ...],
    ) -> Candidate:
        language = self._search.language
        asked = () if language is None else (language,)
        return Candidate(
            mistake=mistake,
            what=what,
            signatures=signatures,
            languages=asked or languages[:_MOST_LANGUAGES] or USUAL,
            fixes={each: mistake.repair(each, self._request) for each in Language},
        )

    def _told(self, mistake: Mistake, value: bytes) -> str:
        said = mistake.saying(self._request, value)
        return said.to_receiver() if self._to_receiver else said.about_sender()

    def _alike(self, step: Step) -> tuple[ContentMistake, ...]:
        mistake = step.mistake
        has_twins = isinstance(mistake, ContentMistake) and not mistake.covers_signature
        return self._search.alike(step.value) if has_twins else ()


def _languages_of(mistake: Mistake, alike: tuple[ContentMistake, ...]) -> tuple[Language, ...]:
    if not mistake.languages:
        return ()
    all_of_them = (*mistake.languages, *(each for other in alike for each in other.languages))
    return tuple(dict.fromkeys(all_of_them))


def _also(mistake: Mistake, alike: tuple[ContentMistake, ...]) -> str:
    """Return a sentence on the calls of other languages that give the same bytes."""
    known, calls = {*mistake.languages}, []
    for other in alike:
        if other.call and not known.issuperset(other.languages):
            known.update(other.languages)
            calls.append(f"{other.call} ({other.languages[0].label})")
    return f" The same bytes come from {', '.join(calls)}." if calls else ""

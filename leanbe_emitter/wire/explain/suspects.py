"""Suspects: the known mistakes, each in a form that a request can be signed with.

A request that is signed as a suspect's mistake would sign it is accepted by a receiver that makes
this mistake. Invariant: a content that holds the signature itself is no suspect, because nobody can
sign a body with the digest of that body.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TypeVar

from leanbe_emitter.wire.assumptions.parsing import computing_assumptions
from leanbe_emitter.wire.explain.content_mistakes import CONTENTS
from leanbe_emitter.wire.explain.digest_mistakes import ASSUMPTION_IGNORED, DIGESTS, SPELLINGS
from leanbe_emitter.wire.explain.key_mistakes import KEYS
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import (
    ContentMistake,
    DigestMistake,
    KeyMistake,
    Mistake,
    PlaceMistake,
    SpellingMistake,
)
from leanbe_emitter.wire.explain.received_request import ReceivedRequest

#: The longest text for which serialisers are tried, in bytes: each one writes it again.
MAX_REWRITTEN = 64 * 1024
#: How many serialisers of each language are tried together with a second mistake.
_USUAL_OF_LANGUAGE = 2
#: The mistakes that people make together with a wrong serialiser; each in its usual form.
_SECOND_MISTAKES = frozenset({"secret-with-newline", "base64", "upper-case", "prefixed"})

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A mistake, or mistakes together, each in one of its forms.

    Attributes:
        forms: the mistakes, each with the number of one of its contents, keys, digests or
            spellings, from 0.
    """

    forms: tuple[tuple[Mistake, int], ...]

    @property
    def is_in_header(self) -> bool:
        """Whether the receiver looks for the signature in a header."""
        return any(isinstance(mistake, PlaceMistake) for mistake, _ in self.forms)

    @property
    def languages(self) -> set[Language]:
        """The languages in which people make these mistakes; empty if all."""
        return {language for mistake, _ in self.forms for language in mistake.languages}

    def signature(self, request: ReceivedRequest) -> str | None:
        """Return what the receiver computes from a request; None where it computes nothing."""
        content: bytes | None = request.signed_bytes
        key: bytes | None = request.key
        for mistake, form in self.forms:
            if isinstance(mistake, ContentMistake):
                content = _nth(mistake.contents(request), form)
            elif isinstance(mistake, KeyMistake):
                key = _nth(mistake.keys(request.secret), form)
        if content is None or key is None:
            return None
        return self._spelled(self._digest(request, content, key))

    def _digest(self, request: ReceivedRequest, content: bytes, key: bytes) -> bytes | None:
        for mistake, form in self.forms:
            if isinstance(mistake, DigestMistake):
                return _nth(mistake.digests(key, content), form)
            if mistake is ASSUMPTION_IGNORED:
                return bytes.fromhex(next(mistake.computes(request)))
        return request.digest(content, key)

    def _spelled(self, digest: bytes | None) -> str | None:
        if digest is None:
            return None
        for mistake, form in self.forms:
            if isinstance(mistake, SpellingMistake):
                return _nth(mistake.spellings(digest), form)
        return digest.hex()


#: Suspects that give one signature in a request.
Group = tuple[Suspect, ...]


class Suspects:
    """The suspects that show in one request, likely ones first.

    Args:
        request: a request that is signed rightly.
        place: the mistake of looking for the signature elsewhere.
        other_keys: further mistakes in the key: other secrets.
        language: the receiver's language if it is known; the mistakes of others come last.
    """

    def __init__(
        self,
        request: ReceivedRequest,
        *,
        place: PlaceMistake,
        other_keys: tuple[KeyMistake, ...] = (),
        language: Language | None = None,
    ) -> None:
        self._request = request
        self._place = place
        self._keys = (*other_keys, *KEYS)
        self._language = language
        is_long = len(request.signed_bytes) > MAX_REWRITTEN
        self._contents = [
            each
            for each in CONTENTS
            if not each.covers_signature and not (is_long and each.is_written)
        ]

    def groups(self) -> Iterator[Group]:
        """Yield the suspects of each signature that is wrong; single mistakes before pairs.

        Behind them stand those of the same language that write nothing of their own from this
        request, such as PHP's arrays if no object is empty: they may be meant, too.
        """
        for suspects in (self._single, self._in_pairs):
            found: dict[tuple[str, bool], list[Suspect]] = {}
            silent: list[Suspect] = []
            for suspect in suspects():
                signature = suspect.signature(self._request)
                if signature is None:
                    silent.append(suspect)
                elif signature != self._request.expected or suspect.is_in_header:
                    found.setdefault((signature, suspect.is_in_header), []).append(suspect)
            for group in found.values():
                yield (*group, *(each for each in silent if each.languages & group[0].languages))

    def _single(self) -> Iterator[Suspect]:
        if computing_assumptions(self._request.assumptions):
            yield _suspect(ASSUMPTION_IGNORED)
        yield from in_turns(
            [
                in_turns(self._of(each) for each in self._contents_by_language()),
                self._of(self._keys),
                self._of(each for each in SPELLINGS if each.is_made_in(self._language)),
                self._elsewhere(),
                self._of(DIGESTS),
            ]
        )
        yield from self._of(
            each for each in (*self._contents, *SPELLINGS) if not each.is_made_in(self._language)
        )

    def _in_pairs(self) -> Iterator[Suspect]:
        seconds = [each for each in (*KEYS, *SPELLINGS) if each.name in _SECOND_MISTAKES]
        for group in self._contents_by_language():
            for mistake in group[: _USUAL_OF_LANGUAGE if group[0].languages else None]:
                for second in seconds:
                    yield _suspect(mistake, second)

    def _elsewhere(self) -> Iterator[Suspect]:
        raw_body = next(each for each in CONTENTS if each.name == "raw-body-hashed")
        prefixed = next(each for each in SPELLINGS if each.name == "prefixed")
        yield _suspect(self._place)
        yield _suspect(raw_body, self._place)
        yield _suspect(raw_body, prefixed, self._place)
        yield _suspect(prefixed, self._place)

    def _of(self, mistakes: Iterable[Mistake]) -> Iterator[Suspect]:
        for mistake in mistakes:
            for form in range(_number_of_forms(mistake, self._request)):
                yield Suspect(forms=((mistake, form),))

    def _contents_by_language(self) -> list[list[ContentMistake]]:
        groups: dict[tuple[Language, ...], list[ContentMistake]] = {}
        for each in self._contents:
            if each.is_made_in(self._language):
                groups.setdefault(each.languages[:1], []).append(each)
        return [*groups.values()]


def _suspect(*mistakes: Mistake) -> Suspect:
    return Suspect(forms=tuple((each, 0) for each in mistakes))


def _number_of_forms(mistake: Mistake, request: ReceivedRequest) -> int:
    forms: Iterator[object]
    match mistake:
        case ContentMistake(is_written=True):
            return 1
        case ContentMistake():
            forms = mistake.contents(request)
        case KeyMistake():
            forms = mistake.keys(request.secret)
        case DigestMistake():
            forms = mistake.digests(request.key, request.signed_bytes)
        case SpellingMistake():
            forms = mistake.spellings(bytes.fromhex(request.expected))
        case _:
            return 1
    return sum(1 for _ in forms)


def _nth(forms: Iterator[T], number: int) -> T | None:
    return next(islice(forms, number, None), None)


def in_turns(groups: Iterable[Iterable[T]]) -> Iterator[T]:
    """Yield the first of each group, then the second of each, and so on."""
    end = object()
    for row in zip_longest(*groups, fillvalue=end):
        yield from (each for each in row if each is not end)  # type: ignore[misc]

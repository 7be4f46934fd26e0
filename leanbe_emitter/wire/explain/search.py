"""The search for the mistake, or the two mistakes together, that give a digest.

Invariant: the digest alone decides, so that naming a mistake is never a guess. The work is bounded:
the search writes the payload with one serialiser after the other until it has written
``MAX_WRITTEN`` bytes, and ``is_cut`` says whether it left out some. It tries two mistakes at once
only for texts of up to ``MAX_FOR_PAIRS`` bytes.
"""

import base64
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from leanbe_emitter.wire.assumptions.assumption_set import SignatureScheme
from leanbe_emitter.wire.assumptions.parsing import computing_assumptions
from leanbe_emitter.wire.explain.content_mistakes import CONTENTS
from leanbe_emitter.wire.explain.digest_mistakes import ASSUMPTION_IGNORED, DIGESTS, SPELLINGS
from leanbe_emitter.wire.explain.key_mistakes import NAMES_OF_VARIABLES
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import (
    ContentMistake,
    KeyMistake,
    Mistake,
    SpellingMistake,
)
from leanbe_emitter.wire.explain.received_request import ReceivedRequest

#: How many bytes of contents one search makes with serialisers: some tenths of a second of work.
MAX_WRITTEN = 1024 * 1024
#: The longest text for which two mistakes at once are tried, in bytes.
MAX_FOR_PAIRS = 16 * 1024
#: The most keys that are tried with each content.
_MAX_KEYS_IN_PAIRS = 60
#: The lengths of the digests of hash functions, in bytes.
_SIZES = frozenset({16, 20, 28, 32, 48, 64})
#: The fewest digits of a SHA-256 whose leading zeros are lost.
_FEWEST_DIGITS = 41

_HEX = re.compile("[0-9a-fA-F]+")
_NOISE = re.compile(r"^(?:hmac-)?(?:sha256[=:]|v1=|0x)|^b'(?=[0-9a-f]+'$)|'$|[-: ]")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A mistake in one step, and the value that it gives.

    Attributes:
        mistake: the mistake.
        value: the content, the key or the digest that it gives.
        digest: what the computation gives with this mistake and those before it.
    """

    mistake: Mistake
    value: bytes = field(repr=False)
    digest: str


class Search:
    """The mistakes that show in one request.

    Args:
        request: the request.
        keys: the mistakes in the key: the known ones, and other secrets.
        language: the receiver's language if it is known; its serialisers are preferred.

    Attributes:
        request: the request.
        language: the receiver's language.
    """

    def __init__(
        self, request: ReceivedRequest, *, keys: tuple[KeyMistake, ...], language: Language | None
    ) -> None:
        self.request = request
        self._keys = keys
        self.language = language
        self._contents = _Contents(request, _preferred(language))

    @property
    def is_cut(self) -> bool:
        """Whether the search stopped before the last serialiser, because the payload is long."""
        return self._contents.is_cut

    def steps(self) -> Iterator[Step]:
        """Yield each mistake that shows, alone, the common ones first, each digest once.

        If the language is known, mistakes that nobody makes in it are left out.
        """
        seen = {self.request.expected}
        groups = (self._assumption_steps, self._content_steps, self._digest_steps, self._key_steps)
        for step in (step for steps in groups for step in steps()):
            if step.digest not in seen and step.mistake.is_made_in(self.language):
                seen.add(step.digest)
                yield step

    def alike(self, content: bytes) -> tuple[ContentMistake, ...]:
        """Return the mistakes that hash the same bytes."""
        return tuple(mistake for mistake, each in self._contents if each == content)

    def hashed(self, content: bytes) -> ContentMistake | None:
        """Return the mistake that hashes these bytes, or None."""
        return next((mistake for mistake, each in self._contents if each == content), None)

    def step_of(self, mistake: ContentMistake, content: bytes) -> Step:
        """Return a mistake as a step, with the digest that it gives."""
        digest = self.request.digest(content, self.request.key)
        return Step(mistake=mistake, value=content, digest=digest.hex())

    def causes(self, got: str) -> tuple[Step, ...]:
        """Return the mistake that gives this text, or those that give it together, or nothing.

        The right digits have no cause, even if a mistake happens to give them.
        """
        if got == self.request.expected:
            return ()
        for mistake in SPELLINGS:
            if got in mistake.computes(self.request):
                return (Step(mistake=mistake, value=b"", digest=got),)
        digest, spelling = _digest_of(got)
        if digest is None or len(digest) not in _SIZES:
            return self._causes_of_lossy(got)
        found = self._single(digest) or self._pair(digest)
        if found and spelling is not None:
            return (*found, Step(mistake=spelling, value=b"", digest=got))
        return found

    def _single(self, digest: bytes) -> tuple[Step, ...]:
        digits = digest.hex()
        steps: Callable[[], Iterator[Step]]
        for steps in (
            self._assumption_steps,
            self._key_steps,
            partial(self._digest_steps, size=len(digest)),
            self._content_steps,
        ):
            for step in steps():
                if step.digest == digits:
                    return (step,)
        return ()

    def _assumption_steps(self) -> Iterator[Step]:
        if computing_assumptions(self.request.assumptions):
            for digest in ASSUMPTION_IGNORED.computes(self.request):
                yield Step(mistake=ASSUMPTION_IGNORED, value=b"", digest=digest)

    def _key_steps(self) -> Iterator[Step]:
        for mistake, key in self._wrong_keys():
            digest = self.request.digest(self.request.signed_bytes, key)
            yield Step(mistake=mistake, value=key, digest=digest.hex())

    def _wrong_keys(self) -> Iterator[tuple[KeyMistake, bytes]]:
        is_long = len(self.request.signed_bytes) > MAX_WRITTEN
        for mistake in self._keys:
            if is_long and mistake.name == NAMES_OF_VARIABLES:
                continue
            for key in mistake.keys(self.request.secret):
                if key != self.request.key:
                    yield mistake, key

    def _digest_steps(self, size: int | None = None) -> Iterator[Step]:
        for mistake in DIGESTS:
            if size not in {None, mistake.size}:
                continue
            for digest in mistake.digests(self.request.key, self.request.signed_bytes):
                yield Step(mistake=mistake, value=digest, digest=digest.hex())

    def _content_steps(self) -> Iterator[Step]:
        for mistake, content in self._contents:
            digest = self.request.digest(content, self.request.key)
            yield Step(mistake=mistake, value=content, digest=digest.hex())
            if self.request.assumptions.signature_scheme is not SignatureScheme.HMAC:
                digest = hmac.digest(self.request.key, content, "sha256")
                yield Step(mistake=mistake, value=content, digest=digest.hex())

    def _pair(self, digest: bytes) -> tuple[Step, ...]:
        """Return two mistakes in two steps that give this digest together."""
        if len(self.request.signed_bytes) > MAX_FOR_PAIRS:
            return ()
        for first, second, got in self._pairs(len(digest)):
            if got == digest:
                return (first, Step(mistake=second[0], value=second[1], digest=got.hex()))
        return ()

    def _pairs(self, size: int) -> Iterator[tuple[Step, tuple[Mistake, bytes], bytes]]:
        request = self.request
        formulas = [each for each in DIGESTS if each.size == size]
        usual = (each for each in self._wrong_keys() if each[0].name != NAMES_OF_VARIABLES)
        keys = [*islice(usual, _MAX_KEYS_IN_PAIRS)]
        for step in self._content_steps():
            for mistake, key in keys:
                yield step, (mistake, key), request.digest(step.value, key)
            for other in formulas:
                for got in other.digests(request.key, step.value):
                    yield step, (other, got), got
        for step in self._key_steps():
            for other in formulas:
                for got in other.digests(step.value, request.signed_bytes):
                    yield step, (other, got), got

    def _causes_of_lossy(self, got: str) -> tuple[Step, ...]:
        """Return a content and a spelling that loses digits, which give this text together."""
        if len(got) < _FEWEST_DIGITS or not _HEX.fullmatch(got):
            return ()
        for step in self._content_steps():
            for spelling in SPELLINGS:
                if got in spelling.spellings(bytes.fromhex(step.digest)):
                    return (step, Step(mistake=spelling, value=b"", digest=got))
        return ()


class _Contents:
    """The wrong contents of a request, made one after the other and kept."""

    def __init__(self, request: ReceivedRequest, mistakes: tuple[ContentMistake, ...]) -> None:
        self._request = request
        self._made: list[tuple[ContentMistake, bytes]] = []
        self._coming = self._make(mistakes)
        self._written = 0
        self.is_cut = False

    def __iter__(self) -> Iterator[tuple[ContentMistake, bytes]]:
        at = 0
        while True:
            if at == len(self._made):
                made = next(self._coming, None)
                if made is None:
                    return
                self._made.append(made)
            yield self._made[at]
            at += 1

    def _make(self, mistakes: tuple[ContentMistake, ...]) -> Iterator[tuple[ContentMistake, bytes]]:
        for mistake in mistakes:
            if mistake.is_written and self._written > MAX_WRITTEN:
                self.is_cut = True
                continue
            for content in mistake.contents(self._request):
                self._written += len(content)
                if content != self._request.signed_bytes:
                    yield mistake, content


def _preferred(language: Language | None) -> tuple[ContentMistake, ...]:
    """Return the mistakes in the content, those of this language before those of the others."""
    return tuple(sorted(CONTENTS, key=lambda each: not each.is_made_in(language)))


def _digest_of(text: str) -> tuple[bytes | None, SpellingMistake | None]:
    """Return the digest that a text spells, and the mistake in its spelling."""
    for bare in (text, _NOISE.sub("", text)):
        for digest in _decoded(bare):
            if text == digest.hex():
                return digest, None
            for spelling in SPELLINGS:
                if text in spelling.spellings(digest):
                    return digest, spelling
    return None, None


def _decoded(text: str) -> Iterator[bytes]:
    if _HEX.fullmatch(text) and len(text) % 2 == 0:
        yield bytes.fromhex(text)
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    for alphabet in (None, b"-_"):
        try:
            decoded = base64.b64decode(padded.encode("ascii"), alphabet, validate=True)
            yield decoded
            yield bytes.fromhex(decoded.decode("ascii"))
        except ValueError:
            continue

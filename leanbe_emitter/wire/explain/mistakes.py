"""Mistakes of receivers: steps in the computation of a signature that they do otherwise.

A signature comes from four steps: the bytes that are hashed (content), the key, the formula
(digest), and the text of the digest (spelling). Each kind of mistake replaces one step, so any
two of them can be tried together, and a sender can sign as a receiver with the mistake would.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.repairs import Repair, compute_rightly


@dataclass(frozen=True, kw_only=True)
class Saying:
    """A mistake in words: a verb and its object, and what to do instead.

    Attributes:
        verb: "hash", in "You hash the raw body."
        object: "the raw body".
        advice: a sentence, such as "Hash the payload's text alone."
    """

    verb: str
    object: str
    advice: str

    def to_receiver(self) -> str:
        """Return the mistake as its author is told."""
        return f"You {self.verb} {self.object}. {self.advice}"

    def about_sender(self) -> str:
        """Return the mistake of somebody who signed a body."""
        ending = "es" if self.verb.endswith(("sh", "ss", "x")) else "s"
        return f"The sender {self.verb}{ending} {self.object}. {self.advice}"


@dataclass(frozen=True, kw_only=True)
class Mistake(ABC):
    """One step of a computation, done wrong.

    Attributes:
        name: a stable word for programs.
        repair: returns the right line in a language.
        languages: the languages in which people make it; empty if all.
    """

    name: str
    repair: Repair = compute_rightly
    languages: tuple[Language, ...] = ()

    def is_made_in(self, language: Language | None) -> bool:
        """Return whether people make it in a language; None: in any."""
        return language is None or not self.languages or language.base in self.languages

    @abstractmethod
    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the signatures that a receiver computes that makes this mistake alone."""

    @abstractmethod
    def saying(self, request: ReceivedRequest, value: bytes) -> Saying:
        """Return the mistake in words; ``value`` is the content or the key that it gave."""


@dataclass(frozen=True, kw_only=True)
class ContentMistake(Mistake):
    """A mistake in the bytes that are hashed.

    Attributes:
        contents: yields the bytes that a receiver may hash instead of the right ones.
        says: returns the mistake in words, given the request and the content.
        call: the code whose result is hashed, if a serialiser's is.
        is_written: whether a serialiser writes the content, which takes long for a long payload.
        covers_signature: whether the content holds the signature, so that nobody can sign a body
            in this way.
    """

    contents: Callable[[ReceivedRequest], Iterator[bytes]]
    says: Callable[[ReceivedRequest, bytes], Saying]
    call: str = ""
    is_written: bool = False
    covers_signature: bool = False

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the digests of the contents."""
        for content in self.contents(request):
            if content != request.signed_bytes:
                yield request.digest(content, request.key).hex()

    def saying(self, request: ReceivedRequest, value: bytes) -> Saying:
        """Return the words for this content."""
        return self.says(request, value)


@dataclass(frozen=True, kw_only=True)
class WordedMistake(Mistake):
    """A mistake that has the same words in every request.

    Attributes:
        words: the mistake in words.
    """

    words: Saying

    def saying(self, request: ReceivedRequest, value: bytes) -> Saying:  # noqa: ARG002 - they are the same for all
        """Return the words."""
        return self.words


@dataclass(frozen=True, kw_only=True)
class KeyMistake(WordedMistake):
    """A mistake in the key.

    Attributes:
        keys: yields the keys that a receiver may make of a secret.
    """

    keys: Callable[[str], Iterator[bytes]]

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the digests with the keys."""
        for key in self.keys(request.secret):
            if key != request.key:
                yield request.digest(request.signed_bytes, key).hex()


@dataclass(frozen=True, kw_only=True)
class DigestMistake(WordedMistake):
    """A mistake in the formula.

    Attributes:
        digests: yields the digests of a key and a content.
        size: the length of the digests, in bytes.
    """

    digests: Callable[[bytes, bytes], Iterator[bytes]]
    size: int = 32

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the digests by the formulas."""
        for digest in self.digests(request.key, request.signed_bytes):
            if digest.hex() != request.expected:
                yield digest.hex()


@dataclass(frozen=True, kw_only=True)
class SpellingMistake(WordedMistake):
    """A mistake in the text of the digest.

    Attributes:
        spellings: yields the texts of a digest.
    """

    spellings: Callable[[bytes], Iterator[str]]

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the right digest in the spellings."""
        spellings = self.spellings(bytes.fromhex(request.expected))
        return (each for each in spellings if each != request.expected)


@dataclass(frozen=True, kw_only=True)
class PlaceMistake(WordedMistake):
    """The receiver looks for the signature in the wrong place, and computes the right one."""

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield what is compared in vain: a missing header as text, or the right digest."""
        yield from ("", "undefined", "null", "None", "nil", request.expected)


@dataclass(frozen=True, kw_only=True)
class NothingCompared(WordedMistake):
    """The receiver accepts every signature."""

    def computes(self, request: ReceivedRequest) -> Iterator[str]:  # noqa: ARG002 - of no request
        """Yield nothing."""
        yield from ()

"""Assumptions as text: check, parse and print the values that users set, and say what they change.

A product stores only the assumptions that somebody set, as the texts that ``check_assumption``
returns. ``parse_assumptions`` completes them by the article's values (contract d).

Invariant: under the article's assumptions, every note is empty.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache
from typing import Any

from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.wire.assumptions.assumption_set import (
    ARTICLE,
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTION_NAMES, assumption, text_of
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.event_names import matching


def check_assumption(name: str, text: str) -> str:
    """Return the canonical text of an assumption's value: rows hold it, and users see it.

    Raises:
        InvalidValue: there is no such assumption, or it does not take the value; the hint names
            the values that it takes.
    """
    return text_of(_value(name, text))


def parse_assignment(text: str) -> tuple[str, str]:
    """Return name and canonical text of ``NAME=VALUE``, as ``--assume`` takes it.

    Raises:
        InvalidValue: it is no assignment, there is no such assumption, or it does not take the
            value.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidValue(
            f"{text!r} is no assignment.", hint="Write NAME=VALUE, such as max_attempts=1."
        )
    return name.strip(), check_assumption(name.strip(), value)


def parse_assumptions(texts: Mapping[str, str]) -> AssumptionSet:
    """Return the assumptions of stored texts; the others have the article's values.

    Raises:
        InvalidValue: a name or a value that this version does not know.
    """
    return _parse(tuple(texts.items())) if texts else ARTICLE


def changed_assumptions(assumptions: AssumptionSet) -> dict[str, str]:
    """Return the assumptions that differ from the article's, with their canonical texts."""
    return {
        name: text_of(value)
        for name in ASSUMPTION_NAMES
        if (value := getattr(assumptions, name)) != getattr(ARTICLE, name)
    }


@lru_cache(maxsize=256)
def _parse(texts: tuple[tuple[str, str], ...]) -> AssumptionSet:
    values: dict[str, Any] = {name: _value(name, text) for name, text in texts}
    return AssumptionSet(**values)


def _value(name: str, text: str) -> object:
    accepts = assumption(name).accepts
    check_type(text, str, what=name, words=f'text, such as {{"{name}": "{text}"}}')
    try:
        return _PARSERS[name](text.strip())
    except ValueError as error:
        raise InvalidValue(
            f"{text!r} is no value of {name}{error}.", hint=f"It takes {accepts}."
        ) from None
    except InvalidValue as error:
        raise InvalidValue(
            f"{text!r} is no value of {name}: {error.message}",
            hint=error.hint or f"It takes {accepts}.",
        ) from None


# The parsers below take stripped text and raise a ValueError for a value that they refuse: without
# words, or with words that go on after "... is no value of NAME".


def _choice_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    by_folded = {choice.casefold(): choice for choice in choices}

    def parse(text: str) -> StrEnum:
        if text.casefold() not in by_folded:
            raise ValueError
        return by_folded[text.casefold()]

    return parse


def _boolean(text: str) -> bool:
    folded = text.casefold()
    if folded not in {"true", "false"}:
        raise ValueError
    return folded == "true"


_MOST_ATTEMPTS = 100


def _attempts(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= _MOST_ATTEMPTS:
        raise ValueError
    return int(text)


def _timeout(text: str) -> float:
    seconds = parse_duration(text)
    if seconds == 0:
        raise ValueError(": no receiver answers in no time")
    return seconds


_MOST_PARTS = 100


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts) or len(parts) > _MOST_PARTS:
        raise ValueError
    return parts


def _durations(text: str) -> tuple[float, ...]:
    return tuple(parse_duration(part) for part in _parts(text))


def _globs(text: str) -> tuple[str, ...]:
    parts = _parts(text)
    for part in parts:
        matching(part)
    return tuple(dict.fromkeys(parts))


_LONGEST_HEADER = 200
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_OF_THE_SENDER = frozenset(
    {
        "accept", "accept-encoding", "connection", "content-encoding", "content-length",
        "content-type", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "user-agent",
    }
)  # fmt: skip


def _header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text) or len(text) > _LONGEST_HEADER:
        raise ValueError
    if text.lower() in _OF_THE_SENDER:
        raise ValueError(": every request has that header already")
    return text


def _content_type(text: str) -> str:
    if not _VISIBLE.fullmatch(text) or len(text) > _LONGEST_HEADER:
        raise ValueError
    return text


_OPEN_PARSERS: Mapping[str, Callable[[str], object]] = {
    "signature_header": _header_name,
    "content_type": _content_type,
    "max_attempts": _attempts,
    "backoff": _durations,
    "timeout": _timeout,
    "events": _globs,
}


def _parser_of(name: str) -> Callable[[str], object]:
    default: object = getattr(ARTICLE, name)
    if isinstance(default, StrEnum):
        return _choice_of(type(default))
    return _boolean if isinstance(default, bool) else _OPEN_PARSERS[name]


_PARSERS: Mapping[str, Callable[[str], object]] = {
    field.name: _parser_of(field.name) for field in fields(AssumptionSet)
}


def assumptions_note(assumptions: AssumptionSet) -> str:
    """Return a sentence on the assumptions and their effect; empty for the article's."""
    different = [*_place(assumptions), *_content(assumptions), *_scheme(assumptions)]
    if not different:
        return ""
    assumed, words = zip(*different, strict=True)
    return f"The request was made under {', '.join(assumed)}: {'; '.join(words)}."


def computing_assumptions(assumptions: AssumptionSet) -> str:
    """Return the assumptions that change what is computed; empty for the article's."""
    return ", ".join(each for each, _ in (*_content(assumptions), *_scheme(assumptions)))


def _place(assumptions: AssumptionSet) -> Iterator[tuple[str, str]]:
    location, name = assumptions.signature_location, assumptions.signature_header
    if location is SignatureLocation.HEADER:
        yield (
            f"signature_location={location}",
            f"the signature is in the header {name}, not in the body",
        )
    if location is SignatureLocation.BOTH:
        yield (
            f"signature_location={location}",
            f"the signature is in the body and in the header {name}",
        )


def _content(assumptions: AssumptionSet) -> Iterator[tuple[str, str]]:
    if assumptions.signed_content is not SignedContent.PAYLOAD:
        yield (
            f"signed_content={assumptions.signed_content}",
            "the whole stringified envelope, without its signature, is signed",
        )


def _scheme(assumptions: AssumptionSet) -> Iterator[tuple[str, str]]:
    scheme = assumptions.signature_scheme
    if scheme is SignatureScheme.SHA256_PAYLOAD_SECRET:
        yield (
            f"signature_scheme={scheme}",
            "the signature is the plain SHA-256 of the signed text followed by the secret",
        )
    if scheme is SignatureScheme.SHA256_SECRET_PAYLOAD:
        yield (
            f"signature_scheme={scheme}",
            "the signature is the plain SHA-256 of the secret followed by the signed text",
        )

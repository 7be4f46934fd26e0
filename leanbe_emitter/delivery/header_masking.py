"""Masking of header values in output: a header that a product set may hold a receiver's secret.

Output shows the names of all headers. It shows values only of headers that every request has, and
of the signature. The masked values are also removed from answers, because some receivers echo the
request. Nothing is masked in ``request_headers``, ``answer_headers``, ``answer_body`` and ``curl``.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from leanbe_emitter.header_rules import MASK, OF_EVERY_REQUEST
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import SIGNATURE

#: Shorter values are not searched in answers: they are hardly secrets, and occur by chance.
_SHORTEST_SECRET = 6


def masked(
    headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> list[list[str]]:
    """Return the headers of a request as JSON, with ``********`` for values that may be secrets.

    Args:
        headers: the headers of the request.
        assumptions: the assumptions of the request; they name the signature's header.
    """
    parsed = parse_assumptions(assumptions)
    return [
        [name, value if _is_shown(name.lower(), value, parsed) else MASK] for name, value in headers
    ]


def unechoed(
    answer: bytes | None, headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> bytes | None:
    """Return an answer's body with ``********`` for masked values of the request's headers.

    Args:
        answer: the stored bytes of the answer; None if there was no answer.
        headers: the headers of the request.
        assumptions: the assumptions of the request.
    """
    if answer is None:
        return None
    for word in _secrets(headers, assumptions=assumptions):
        answer = answer.replace(word.encode("latin-1"), MASK.encode())
    return answer


def unechoed_headers(
    answer: Iterable[tuple[str, str]],
    headers: Iterable[tuple[str, str]],
    *,
    assumptions: Mapping[str, str],
) -> list[list[str]]:
    """Return the headers of an answer as JSON, masked in the same way."""
    secrets = _secrets(headers, assumptions=assumptions)
    shown = [list(each) for each in answer]
    for each, word in product(shown, secrets):
        each[1] = each[1].replace(word, MASK)
    return shown


def _secrets(
    headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> Sequence[str]:
    """Return the masked values and their words, the longest first: a word is part of a value."""
    parsed = parse_assumptions(assumptions)
    hidden = {
        word
        for name, value in headers
        if not _is_shown(name.lower(), value, parsed)
        for word in (value, *value.split())
        if len(word) >= _SHORTEST_SECRET
    }
    return sorted(hidden, key=len, reverse=True)


def _is_shown(name: str, value: str, assumptions: AssumptionSet) -> bool:
    return name in OF_EVERY_REQUEST or _is_signature(name, value, assumptions)


def _is_signature(name: str, value: str, assumptions: AssumptionSet) -> bool:
    """Return whether a header is the signature; the product may set a header of that name."""
    return (
        assumptions.signature_location is not SignatureLocation.BODY
        and name == assumptions.signature_header.lower()
        and SIGNATURE.fullmatch(value) is not None
    )

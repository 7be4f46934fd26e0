"""What is shown of a request's headers: whatever a product set may be a secret of its receiver's.

The names are shown, and the values that are nobody's secret: of what every request has, and of the
signature. Who asks for the request itself has them all: ``request_headers``, ``curl``. An answer is
shown without them, too, as some receivers send back what they were sent; ``answer_headers`` and
``answer_body`` are as it came.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from leanbe_emitter.headers import MASK, OF_EVERY_REQUEST
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import SIGNATURE

#: What is shorter is looked for in no answer: it is hardly a secret, and stands in every other one.
_SHORTEST_SECRET = 6


def masked(
    headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> list[list[str]]:
    """Return the headers of a request as JSON, with ``********`` for what may be a secret.

    Args:
        headers: as they are sent.
        assumptions: those that differ from the article's: they name the signature's header.
    """
    parsed = parse_assumptions(assumptions)
    return [
        [name, value if _is_shown(name.lower(), value, parsed) else MASK] for name, value in headers
    ]


def unechoed(
    answer: bytes | None, headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> bytes | None:
    """Return an answer's body with ``********`` for what may be a secret of its request's headers.

    Args:
        answer: its bytes, or what of them is kept; None: there was no answer.
        headers: of the request, as they were sent.
        assumptions: those that differed from the article's.
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
    """Return the headers of an answer as JSON, likewise."""
    secrets = _secrets(headers, assumptions=assumptions)
    shown = [list(each) for each in answer]
    for each, word in product(shown, secrets):
        each[1] = each[1].replace(word, MASK)
    return shown


def _secrets(
    headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> Sequence[str]:
    """Return what is shown nowhere, the longest first: a token is a part of the whole value."""
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
    """Say whether it is the envelope's; a header that the product set may bear the same name."""
    return (
        assumptions.signature_location is not SignatureLocation.BODY
        and name == assumptions.signature_header.lower()
        and SIGNATURE.fullmatch(value) is not None
    )

"""What is shown of a request's headers: whatever a product set may be a secret of its receiver's.

The names are shown, and the values that are nobody's secret: of what every request has, and of the
signature. Who asks for the request itself has them all: ``request_headers``, ``curl``.
"""

from collections.abc import Iterable, Mapping

from leanbe_emitter.headers import MASK, OF_EVERY_REQUEST
from leanbe_emitter.wire.assumptions import read
from leanbe_emitter.wire.envelope import SIGNATURE
from leanbe_emitter.wire.reading import Reading, SignatureLocation


def masked(
    headers: Iterable[tuple[str, str]], *, assumptions: Mapping[str, str]
) -> list[list[str]]:
    """Return the headers of a request as JSON, with ``********`` for what may be a secret.

    Args:
        headers: as they are sent.
        assumptions: the switches that are not the article's: they name the signature's header.
    """
    reading = read(assumptions)
    return [
        [name, value if _is_shown(name.lower(), value, reading) else MASK]
        for name, value in headers
    ]


def _is_shown(name: str, value: str, reading: Reading) -> bool:
    return name in OF_EVERY_REQUEST or _is_signature(name, value, reading)


def _is_signature(name: str, value: str, reading: Reading) -> bool:
    """Say whether it is the envelope's; a header that the product set may bear the same name."""
    return (
        reading.signature_location is not SignatureLocation.BODY
        and name == reading.signature_header.lower()
        and SIGNATURE.fullmatch(value) is not None
    )

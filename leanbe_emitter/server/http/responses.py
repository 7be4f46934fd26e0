"""What operations answer with: documents as the texts that they are, pages of them, or nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from fastapi.responses import Response

from leanbe_emitter.library.documents.snapshot import Document, text_of
from leanbe_emitter.wire.stringify import stringify

MEDIA_TYPE = "application/json"


class Snapshot(Protocol):
    """What the library returns."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...


#: What can be answered: a document, another snapshot, or an object of no snapshot's.
Told = Document | Snapshot | Mapping[str, Any]


def text(told: Told) -> str:
    """Return the text of it; of a document it is the very one that a webhook would carry."""
    match told:
        case Document():
            return told.text
        case Mapping():
            return text_of(told)
        case _:
            return text_of(told.document())


def one(told: Told, *, status: int = 200) -> Response:
    """Answer with one object."""
    return _json(text(told), status=status)


def page(items: Iterable[Told], *, cursor: str | None = None, status: int = 200) -> Response:
    """Answer with a part of a list, and the cursor to go on from; None at the end of the list."""
    texts = ",".join(map(text, items))
    return _json(f'{{"items":[{texts}],"cursor":{stringify(cursor)}}}', status=status)


def nothing() -> Response:
    """Answer that it is done, and that there is nothing to show."""
    return Response(status_code=204)


def _json(content: str, *, status: int = 200) -> Response:
    return Response(content, status, media_type=MEDIA_TYPE)

"""What operations answer with: documents as the texts that they are, pages of them, or nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from fastapi.responses import Response

from leanbe_emitter.emitter.documents import Document, text_of
from leanbe_emitter.wire.stringify import JSON, stringify

MEDIA_TYPE = "application/json"


class Snapshot(Protocol):
    """What the library returns."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...


def text(snapshot: Document | Snapshot) -> str:
    """Return a snapshot's text; of a document it is the very one that a webhook would carry."""
    return snapshot.text if isinstance(snapshot, Document) else text_of(snapshot.document())


def one(snapshot: Document | Snapshot, *, status: int = 200) -> Response:
    """Answer with one document."""
    return _json(text(snapshot), status=status)


def value(values: Mapping[str, JSON], *, status: int = 200) -> Response:
    """Answer with an object that is no snapshot's."""
    return _json(text_of(values), status=status)


def page(snapshots: Iterable[Document | Snapshot], *, cursor: str | None = None) -> Response:
    """Answer with a part of a list, and the cursor to go on from; None at the end of the list."""
    items = ",".join(map(text, snapshots))
    return _json(f'{{"items":[{items}],"cursor":{stringify(cursor)}}}')


def nothing() -> Response:
    """Answer that it is done, and that there is nothing to show."""
    return Response(status_code=204)


def _json(content: str, *, status: int = 200) -> Response:
    return Response(content, status, media_type=MEDIA_TYPE)

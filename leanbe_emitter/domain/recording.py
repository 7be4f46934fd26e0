"""Events of documents that belong to one product: each tells of its document as it is by then."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy.orm import Session

from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.fields import changed
from leanbe_emitter.storage.schema.document_tables import OfProduct
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.stringify import JSON

Row = TypeVar("Row", bound=OfProduct)
#: Returns a document's values by the document's names.
DocumentOf = Callable[[Session, ProductRow, Row], dict[str, JSON]]


def record(  # noqa: PLR0913 - an event, what it is of, and how that is read
    action: Action,
    event: str,
    product: ProductRow,
    row: Row,
    document: DocumentOf[Row],
    *,
    before: Mapping[str, JSON] | None = None,
) -> None:
    """Let an event be recorded with its document: see ``Action.record``."""
    values = document(action.session, product, row)
    action.record(event, product, values, updated_at=row.updated_at, before=before)


def record_change(  # noqa: PLR0913 - as above
    action: Action,
    event: str,
    product: ProductRow,
    row: Row,
    document: DocumentOf[Row],
    *,
    before: Mapping[str, JSON],
) -> None:
    """Move ``updatedAt`` on and record the event, if the document is not what it was before."""
    action.session.flush()
    if changed(before, document(action.session, product, row)):
        action.touch(row)
        # Within the action: what is written later is not undone with it, should that fail.
        action.session.flush()
        record(action, event, product, row, document, before=before)

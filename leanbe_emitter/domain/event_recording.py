"""Events of documents that belong to one product: each shows its document as it is then."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy.orm import Session

from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.document_values import changed_names
from leanbe_emitter.storage.schema.document_tables import OfProduct
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.stringify import JSON

Row = TypeVar("Row", bound=OfProduct)
#: Returns a document's values by the document's names.
DocumentOf = Callable[[Session, ProductRow, Row], dict[str, JSON]]


def record(  # noqa: PLR0913 - the event, its document, and how to read it
    action: Action,
    event: str,
    product: ProductRow,
    row: Row,
    document: DocumentOf[Row],
    *,
    before: Mapping[str, JSON] | None = None,
) -> None:
    """Add an event with the present values of its document; see ``Action.record``."""
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
    """Move ``updatedAt`` and add an event, if the document differs from its values before."""
    action.session.flush()
    if changed_names(before, document(action.session, product, row)):
        action.touch(row)
        # Flush within the action: a later flush would not be undone if the action fails.
        action.session.flush()
        record(action, event, product, row, document, before=before)

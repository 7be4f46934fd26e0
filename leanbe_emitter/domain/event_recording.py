"""Events of documents that belong to one product: each shows its document as it is then."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.orm import Session

from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.document_values import changed_names
from leanbe_emitter.storage.schema.document_tables import OfProduct
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.stringify import JSON

Row = TypeVar("Row", bound=OfProduct)
#: Returns the values of documents by the documents' names.
DocumentsOf = Callable[[Session, ProductRow, Sequence[Row]], list[dict[str, JSON]]]


def record(  # noqa: PLR0913 - the event, its document, and how to read it
    action: Action,
    event: str,
    product: ProductRow,
    row: Row,
    documents: DocumentsOf[Row],
    *,
    before: Mapping[str, JSON] | None = None,
) -> None:
    """Add an event with the present values of its document; see ``Action.record``."""
    (values,) = documents(action.session, product, [row])
    action.record(event, product, values, updated_at=row.updated_at, before=before)


@contextmanager
def changing(
    action: Action, event: str, product: ProductRow, row: Row, documents: DocumentsOf[Row]
) -> Iterator[None]:
    """Lock the product; if the block changes the document, move ``updatedAt`` and add an event."""
    action.lock(product)
    (before,) = documents(action.session, product, [row])
    yield
    action.session.flush()
    (after,) = documents(action.session, product, [row])
    if changed_names(before, after):
        action.touch(row)
        # Flush within the action: a later flush would not be undone if the action fails.
        action.session.flush()
        record(action, event, product, row, documents, before=before)

"""A part of a list: what is printed of it, and where the next part begins."""

from collections.abc import Sequence

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Column, Document, Form


def print_page(
    invocation: Invocation,
    documents: Sequence[Document],
    cursor: str | None,
    columns: Sequence[Column],
) -> None:
    """Print a page, as the API answers with it under ``json``; where there are more, say so.

    Args:
        invocation: whose form it has.
        documents: what is on it.
        cursor: where the next one begins; None at the end of the list.
        columns: what a person sees of a document.
    """
    if invocation.form is Form.JSON:
        page = {"items": documents, "cursor": cursor}
        output.record(invocation.form, page, columns=())
        return
    output.rows(invocation.form, documents, columns=columns)
    if cursor is not None:
        invocation.notice(f"There are more: --after {cursor}")

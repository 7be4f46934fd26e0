"""Values of documents: their columns, what an edit changes, and how events show a change.

Documents have members in camelCase (``firstName``); columns have the same names in snake_case.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.event_payloads import document, document_shape
from leanbe_emitter.wire.stringify import JSON, stringify

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@cache
def column_of(name: str) -> str:
    """Return the column of a document's member: ``description_html`` for ``descriptionHTML``."""
    return _WORDS.sub("_", name).lower()


def instant_text(milliseconds: int | None) -> str | None:
    """Return the text of a row's instant for a document; None for None."""
    return None if milliseconds is None else print_milliseconds(milliseconds)


def assign(row: Any, values: Mapping[str, JSON]) -> None:
    """Write checked values into a row's columns."""
    for name, value in values.items():
        setattr(row, column_of(name), value)


def changed_names(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> list[str]:
    """Return the names of the members that differ between two states of a document, in order.

    Without a difference, no event is recorded and ``updatedAt`` stays. The JSON texts are compared,
    because true and 1 are equal in Python and differ in JSON.
    """
    return [
        name
        for name in {**before, **after}
        if name != "updatedAt" and stringify(before.get(name)) != stringify(after.get(name))
    ]


def list_changes(
    resource: str, before: Mapping[str, JSON], after: Mapping[str, JSON], assumptions: AssumptionSet
) -> list[JSON]:
    """Return the ``changes`` of an event, with values as the document shows them (contract d-26).

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        before: the values before, by the document's names.
        after: the values now, by the document's names.
        assumptions: the product's assumptions, which shape both documents.
    """
    old, new = (document(resource, each, assumptions=assumptions) for each in (before, after))
    order = [field.name for field in document_shape(resource, assumptions).fields]
    return [
        {"field": name, "oldValue": old.get(name), "newValue": new.get(name)}
        for name in sorted(changed_names(old, new), key=order.index)
    ]

"""OKRs: objectives, and the key results that they are measured by (contract b.5).

Key results have no events of their own: adding, editing, checking in and removing one is an update
of the OKR. Progress is derived, never set.
"""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.fields import change, check_number, printed, require
from leanbe_emitter.domain.recording import record, record_change
from leanbe_emitter.domain.references import find
from leanbe_emitter.domain.referents import product_reference
from leanbe_emitter.domain.user_references import user_references
from leanbe_emitter.errors import InvalidValue, NotFound
from leanbe_emitter.storage.queries.prepared import new_row, write_new
from leanbe_emitter.storage.schema.document_tables import KeyResultRow, OkrRow
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import parse_given_instant, parse_instant, print_instant
from leanbe_emitter.wire.payloads.field_rules import key_result_progress, okr_progress
from leanbe_emitter.wire.stringify import JSON

#: What may be set when an OKR is created, and later; ``keyResults`` is the whole list.
SETTABLE = ("owner", "title", "description", "startDate", "endDate", "keyResults")

_DATES = ("startDate", "endDate")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def create(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> OkrRow:
    """Set an objective, with its key results: ``okr.created``.

    Raises:
        InvalidValue: a value that is refused, the title is missing, or it ends before it begins.
        NotFound: the user is not there.
    """
    action.lock(product)
    require(values, "title")
    row = new_row(
        OkrRow,
        id=action.new_id(among=OkrRow),
        product_id=product.id,
        owner_id=users.owner_id(action.session, product),
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    key_results = _write(action, product, row, values)
    write_new(action.session, row)
    _replace(action, row, key_results or [])
    record(action, "okr.created", product, row, document)
    return row


def get(session: Session, product: ProductRow, reference: str) -> OkrRow:
    """Return the product's OKR of that id, or of a part of it.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several.
    """
    return find(session, of(product), reference, what="OKR", by_id=OkrRow.id)


def of(product: ProductRow) -> Select[OkrRow]:
    """Return the selection of a product's OKRs."""
    return select(OkrRow).where(OkrRow.product_id == product.id)


def edit(action: Action, product: ProductRow, row: OkrRow, values: Mapping[str, JSON]) -> OkrRow:
    """Change an OKR: one ``okr.updated``, or nothing where nothing changes.

    ``keyResults`` is the whole new list: an entry with the ``_id`` of one that is there edits it,
    one without makes a new one, and what is not in the list is removed.

    Raises:
        InvalidValue: a value that is refused, or it ends before it begins.
        NotFound: the user, or a key result, is not there.
    """
    action.lock(product)
    before = document(action.session, product, row)
    key_results = _write(action, product, row, values)
    if key_results is not None:
        _replace(action, row, key_results)
    record_change(action, "okr.updated", product, row, document, before=before)
    return row


def check_in(
    action: Action, product: ProductRow, row: OkrRow, *, key_result: str, value: float
) -> OkrRow:
    """Note how far a key result has come: ``okr.updated``, or nothing where that was known.

    Args:
        action: the action.
        product: whose OKR it is.
        row: the OKR.
        key_result: title, id, or a part of the id of one of its key results.
        value: the measure now.

    Raises:
        InvalidValue: the value is no finite number, or several key results are named so.
        NotFound: there is no such key result.
    """
    action.lock(product)
    before = document(action.session, product, row)
    found = _key_result(action.session, row, key_result)
    found.current_value = check_number(value, what="value")
    record_change(action, "okr.updated", product, row, document, before=before)
    return row


def remove(action: Action, product: ProductRow, row: OkrRow) -> None:
    """Delete an OKR with its key results: ``okr.deleted`` with its last state."""
    action.lock(product)
    record(action, "okr.deleted", product, row, document)
    action.session.execute(delete(OkrRow).where(OkrRow.id == row.id))


def document(session: Session, product: ProductRow, row: OkrRow) -> dict[str, JSON]:
    """Return an OKR's values by the document's names; ``wire.payloads`` puts them in order."""
    return documents(session, product, [row])[0]


def documents(
    session: Session, product: ProductRow, rows: Sequence[OkrRow]
) -> list[dict[str, JSON]]:
    """Return the values of several OKRs, in as many statements as for one."""
    people = user_references(session, [row.owner_id for row in rows])
    measured: dict[str, list[KeyResultRow]] = {row.id: [] for row in rows}
    for key_result in session.scalars(
        select(KeyResultRow)
        .where(KeyResultRow.okr_id.in_(measured))
        .order_by(KeyResultRow.position)
    ):
        measured[key_result.okr_id].append(key_result)
    return [_values(row, product, people[row.owner_id], measured[row.id]) for row in rows]


def _values(
    row: OkrRow, product: ProductRow, owner: dict[str, JSON], measured: Sequence[KeyResultRow]
) -> dict[str, JSON]:
    key_results = [_key_result_values(each) for each in measured]
    return {
        "_id": row.id,
        "owner": owner,
        "title": row.title,
        "description": row.description,
        "startDate": printed(row.start_date),
        "endDate": printed(row.end_date),
        "progress": okr_progress([each["progress"] for each in key_results]),
        "keyResults": key_results,
        "createdAt": printed(row.created_at),
        "updatedAt": printed(row.updated_at),
        "product": product_reference(product),
    }


def _key_result_values(row: KeyResultRow) -> dict[str, JSON]:
    return {
        "_id": row.id,
        "title": row.title,
        "startValue": _whole(row.start_value),
        "currentValue": _whole(row.current_value),
        "targetValue": _whole(row.target_value),
        "unit": row.unit,
        "progress": key_result_progress(
            start=row.start_value, current=row.current_value, target=row.target_value
        ),
    }


def _write(
    action: Action, product: ProductRow, row: OkrRow, values: Mapping[str, JSON]
) -> list[dict[str, JSON]] | None:
    """Write the OKR's own columns; return the key results that were given, checked."""
    columns = users.columns(action.session, product, "okr", dated(values), settable=SETTABLE)
    key_results: list[dict[str, JSON]] | None = columns.pop("keyResults", None)
    for name in _DATES:
        if columns.get(name) is not None:
            columns[name] = to_milliseconds(parse_instant(str(columns[name])))
    change(row, columns)
    if row.start_date is not None and row.end_date is not None and row.end_date < row.start_date:
        raise InvalidValue("The OKR ends before it begins.", hint="Set startDate before endDate.")
    return key_results


def dated(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the values with instants as documents have them, from whatever form of RFC 3339.

    A day is its first instant: ``2023-07-01`` is its midnight, UTC.

    Raises:
        InvalidValue: a text is neither.
    """
    return {
        name: _dated(name, value) if name in _DATES and isinstance(value, str) else value
        for name, value in values.items()
    }


def _dated(name: str, text: str) -> str:
    is_day = _DAY.fullmatch(text) is not None
    try:
        return print_instant(parse_given_instant(f"{text}T00:00:00Z" if is_day else text))
    except InvalidValue as error:
        hint = f"{error.hint} Or as a day: 2023-06-29."
        raise InvalidValue(f"In {name}: {error.message}", hint=hint) from None


def _replace(action: Action, row: OkrRow, wanted: Sequence[dict[str, JSON]]) -> None:
    """Let these be the OKR's key results, in this order."""
    there = {each.id: each for each in _key_results(action.session, row)}
    for position, values in enumerate(wanted):
        found = _existing(there, values) or _new_key_result(action, row, values)
        _set_key_result(found, values)
        found.position = position
        action.session.add(found)
    for gone in there.values():
        action.session.delete(gone)
    action.session.flush()


def _existing(there: dict[str, KeyResultRow], values: Mapping[str, JSON]) -> KeyResultRow | None:
    if "_id" not in values:
        return None
    found = there.pop(str(values["_id"]), None)
    if found is None:
        raise NotFound(
            f"The OKR has no key result {values['_id']!r}.", hint="A new one has no _id."
        )
    return found


def _new_key_result(action: Action, row: OkrRow, values: Mapping[str, JSON]) -> KeyResultRow:
    for name in ("title", "targetValue"):
        if values.get(name) is None:
            raise InvalidValue(f"A key result's {name} is missing.", hint=f"Give {name}.")
    start = values.get("startValue", 0.0)
    return KeyResultRow(
        id=action.new_id(), okr_id=row.id, start_value=start, current_value=start, unit=None
    )


def _set_key_result(row: KeyResultRow, values: Mapping[str, JSON]) -> None:
    given = {name: value for name, value in values.items() if name not in {"_id", "progress"}}
    change(row, given)


def _key_results(session: Session, row: OkrRow) -> Sequence[KeyResultRow]:
    return session.scalars(select(KeyResultRow).where(KeyResultRow.okr_id == row.id)).all()


def _key_result(session: Session, row: OkrRow, reference: str) -> KeyResultRow:
    return find(
        session,
        select(KeyResultRow).where(KeyResultRow.okr_id == row.id),
        reference,
        what="key result",
        by_id=KeyResultRow.id,
        by_name=lambda title: KeyResultRow.title == title,
        names=lambda: [each.title for each in _key_results(session, row)],
    )


def _whole(value: float) -> float:
    """Return a number as an integer where it is one: so JSON writes it either way (b.0)."""
    return int(value) if value.is_integer() else value

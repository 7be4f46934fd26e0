"""OKRs: objectives with their key results (contract b.5).

Key results have no events of their own: to add, edit, check in or remove a key result updates its
OKR. Progress is calculated, never set.
"""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action, changing, record
from leanbe_emitter.domain.document_values import (
    assign,
    instant_text,
    product_reference,
    user_references,
)
from leanbe_emitter.domain.lookup import find
from leanbe_emitter.domain.validation import check_number, require
from leanbe_emitter.errors import InvalidValue, NotFound
from leanbe_emitter.storage.engine.session import insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import KeyResultRow, OkrRow
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import (
    parse_given_instant,
    parse_instant,
    print_instant,
    print_milliseconds,
)
from leanbe_emitter.wire.payloads.declarations import OKR, key_result_progress, okr_progress
from leanbe_emitter.wire.stringify import JSON

_DATES = ("startDate", "endDate")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def create(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> OkrRow:
    """Create an OKR with its key results: ``okr.created``.

    Raises:
        InvalidValue: a value is refused, the title is missing, or the OKR ends before it begins.
        NotFound: the owner does not exist.
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
    insert_row(action.session, row)
    _replace(action, row, key_results or [])
    record(action, "okr.created", product, row, documents)
    return row


def edit(action: Action, product: ProductRow, row: OkrRow, values: Mapping[str, JSON]) -> OkrRow:
    """Change an OKR: one ``okr.updated``, or nothing.

    ``keyResults`` is the whole new list. An entry with the ``_id`` of an existing key result edits
    it, an entry without ``_id`` creates one, and key results outside the list are removed.

    Raises:
        InvalidValue: a value is refused, or the OKR ends before it begins.
        NotFound: the owner or a key result does not exist.
    """
    with changing(action, "okr.updated", product, row, documents):
        key_results = _write(action, product, row, values)
        if key_results is not None:
            _replace(action, row, key_results)
    return row


def check_in(
    action: Action, product: ProductRow, row: OkrRow, *, key_result: str, value: float
) -> OkrRow:
    """Set the current value of a key result: ``okr.updated``, or nothing.

    Args:
        action: the action.
        product: the product of the OKR.
        row: the OKR.
        key_result: the title, the id, or a part of the id of one of its key results.
        value: the current value.

    Raises:
        InvalidValue: the value is no finite number, or several key results match.
        NotFound: no key result matches.
    """
    with changing(action, "okr.updated", product, row, documents):
        found = _key_result(action.session, row, key_result)
        found.current_value = check_number(value, what="value")
    return row


def remove(action: Action, product: ProductRow, row: OkrRow) -> None:
    """Delete an OKR with its key results: ``okr.deleted`` with its last state."""
    action.lock(product)
    record(action, "okr.deleted", product, row, documents)
    action.session.execute(delete(OkrRow).where(OkrRow.id == row.id))


def documents(
    session: Session, product: ProductRow, rows: Sequence[OkrRow]
) -> list[dict[str, JSON]]:
    """Return the values of OKRs, in as many statements as for one."""
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
        "startDate": instant_text(row.start_date),
        "endDate": instant_text(row.end_date),
        "progress": okr_progress([each["progress"] for each in key_results]),
        "keyResults": key_results,
        "createdAt": print_milliseconds(row.created_at),
        "updatedAt": print_milliseconds(row.updated_at),
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
    """Set the columns of an OKR, and return the checked key results among the values."""
    given = with_instants(values)
    columns = users.columns(action.session, product, OKR, given)
    key_results: list[dict[str, JSON]] | None = columns.pop("keyResults", None)
    for name in _DATES:
        if columns.get(name) is not None:
            columns[name] = to_milliseconds(parse_instant(str(columns[name])))
    assign(row, columns)
    if row.start_date is not None and row.end_date is not None and row.end_date < row.start_date:
        raise InvalidValue("The OKR ends before it begins.", hint="Set startDate before endDate.")
    return key_results


def with_instants(values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the values with dates in the form of documents, from any form of RFC 3339.

    A day stands for its midnight in UTC.

    Raises:
        InvalidValue: a text is neither an instant nor a day.
    """
    return {
        name: _instant(name, value) if name in _DATES and isinstance(value, str) else value
        for name, value in values.items()
    }


def _instant(name: str, text: str) -> str:
    is_day = _DAY.fullmatch(text) is not None
    try:
        return print_instant(parse_given_instant(f"{text}T00:00:00Z" if is_day else text))
    except InvalidValue as error:
        if is_day:
            raise InvalidValue(f"{name} is {text!r}.", hint="There is no such day.") from None
        hint = f"{error.hint} Or write a day: 2023-06-29."
        raise InvalidValue(f"In {name}: {error.message}", hint=hint) from None


def _replace(action: Action, row: OkrRow, wanted: Sequence[dict[str, JSON]]) -> None:
    """Set the key results of an OKR, in this order."""
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
    assign(row, given)


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
    """Return a whole number as an integer, so that JSON shows it without a fraction (b.0)."""
    return int(value) if value.is_integer() else value

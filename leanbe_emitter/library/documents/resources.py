"""The base of the six resources of a product: find, list, change and take snapshots of documents.

A change first locks the product, then looks the document up, then calls the domain. So another
process cannot change what a reference names in between. Every call returns the document as it is at
the end of the call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.lookup import Identified, find, reference_text
from leanbe_emitter.domain.validation import check_text, unknown_field
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    Reference,
    snapshot_of,
    text_of,
)
from leanbe_emitter.library.runtime.paging import Page, check_limit, cursor_of, in_order
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads import declarations
from leanbe_emitter.wire.payloads.declarations import snake_case
from leanbe_emitter.wire.payloads.event_payloads import document
from leanbe_emitter.wire.stringify import JSON

#: The columns that name a document; each table has some of them.
_NAMES: Final = ("title", "first_name", "last_name", "email")
#: The longest text that is looked for.
_LONGEST: Final = 200


def has_text(table: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a document's title, or a customer's name or e-mail, has a text.

    Raises:
        InvalidValue: the text is empty or too long, or a database cannot store it.
    """
    if not text:
        raise InvalidValue("q has no text.", hint="Give a text, or leave it out.")
    check_text(text, what="text of q", longest=_LONGEST)
    columns = [getattr(table, name) for name in _NAMES if hasattr(table, name)]
    return or_(*(each.icontains(text, autoescape=True) for each in columns))


#: How many rows are read at once: databases limit a statement to some ten thousand ids.
_ROWS_AT_ONCE = 500

Row = TypeVar("Row")
Snapshot = TypeVar("Snapshot", bound=Document)

P = ParamSpec("P")

#: Returns the condition of a filter's value.
Filter = Callable[[Session, ProductRow, Any], ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Row, Snapshot]):
    """The parts in which the resources differ.

    Attributes:
        declaration: what users can do with it.
        table: the class of the rows.
        documents: returns the values of rows, by the document's names.
        snapshot: the class of a snapshot.
        filters: the filters of the list.
        get: looks a document up by a reference; by default, by its id.
        select: selects the documents of a product; by default, by the column of the product.
        is_shared: whether several products can have a document; the domain then takes the locks.
    """

    declaration: declarations.Declaration
    table: Any
    documents: Callable[[Session, ProductRow, Sequence[Row]], list[dict[str, JSON]]]
    snapshot: type[Snapshot]
    filters: Mapping[str, Filter]
    get: Callable[[Session, ProductRow, str], Row] | None = None
    select: Callable[[ProductRow], Select[Row]] | None = None
    is_shared: bool = False


class Resource(Generic[Row, Snapshot]):
    """The documents of one kind that a product has."""

    _kind: Kind[Row, Snapshot]

    def __init__(self, transactions: Transactions, product: str) -> None:
        self._transactions = transactions
        self._product = product

    def get(self, reference: Snapshot | Reference | str) -> Snapshot:
        """Return the document that a reference names: a snapshot, an id, or a part of an id.

        Raises:
            NotFound: the product has no such document.
            InvalidValue: several documents match.
        """
        with self._looking() as (session, product):
            return self._snapshot(session, product, self._row(session, product, reference))

    @contextmanager
    def _looking(self) -> Iterator[tuple[Session, ProductRow]]:
        if self._transactions.is_open:
            # The rows that the caller's transaction reads must stay unchanged until its end.
            with self._acting() as (action, product):
                action.lock(product)
                yield action.session, product
            return
        with self._transactions.looking() as session:
            yield session, lookup.cached_product(session, self._product)

    @contextmanager
    def _acting(self) -> Iterator[tuple[Action, ProductRow]]:
        with self._transactions.acting(on_documents=True) as action:
            yield action, lookup.cached_product(action.session, self._product)

    @one_transaction
    def _make(
        self,
        make: Callable[Concatenate[Action, ProductRow, P], Row],
        /,
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> Snapshot:
        """Create a document with a function of the domain, which takes the locks."""
        with self._acting() as (action, product):
            return self._outcome(action, product, make(action, product, *arguments, **keywords))

    @one_transaction
    def _change(
        self,
        reference: Snapshot | Reference | str,
        change: Callable[Concatenate[Action, ProductRow, Row, P], object],
        /,
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> Snapshot:
        """Change the named document with a function of the domain; return it as it is then."""
        with self._acting() as (action, product):
            row = self._locked(action, product, reference)
            change(action, product, row, *arguments, **keywords)
            return self._outcome(action, product, row)

    @one_transaction
    def _remove(
        self,
        reference: Snapshot | Reference | str,
        remove: Callable[[Action, ProductRow, Row], None],
    ) -> None:
        with self._acting() as (action, product):
            remove(action, product, self._locked(action, product, reference))

    def _values(self, fields: Mapping[str, object]) -> dict[str, JSON]:
        """Return keyword arguments as the domain takes them: by the document's names.

        Raises:
            InvalidValue: there is no such field; the hint has the nearest name.
        """
        names = {snake_case(name): name for name in self._kind.declaration.settable}
        for keyword in fields:
            if keyword not in names:
                raise unknown_field(keyword, list(names))
        return {names[keyword]: _plain(value) for keyword, value in fields.items()}

    def _page(
        self, *, order: str, q: str | None, limit: int, after: str | None, **filters: object
    ) -> Page[Snapshot]:
        """Return the documents that pass the filters, by creation and then by id."""
        check_limit(limit)
        table = self._kind.table
        given = {name: value for name, value in filters.items() if value is not None}
        with self._looking() as (session, product):
            found = self._select(product).where(
                *(self._kind.filters[name](session, product, each) for name, each in given.items())
            )
            if q is not None:
                found = found.where(has_text(table, q))
            page = in_order(found, table.created_at, order=order, limit=limit + 1, after=after)
            rows = session.scalars(page).all()
            last: Any = rows[limit - 1] if len(rows) > limit else None
            cursor = None if last is None else cursor_of(last.created_at, last.id)
            return Page(self._snapshots(session, product, rows[:limit]), cursor=cursor)

    def _locked(
        self, action: Action, product: ProductRow, reference: Snapshot | Reference | str
    ) -> Row:
        """Take the locks of a change, then return the row that a reference names."""
        if not self._kind.is_shared:
            action.lock(product)
        return self._row(action.session, product, reference)

    def _row(
        self, session: Session, product: ProductRow, reference: Snapshot | Reference | str
    ) -> Row:
        """Return the row that a reference names."""
        text = reference_text(reference)
        if self._kind.get is not None:
            return self._kind.get(session, product, text)
        return find(
            session,
            self._select(product),
            text,
            what=self._kind.declaration.noun,
            by_id=self._kind.table.id,
        )

    def _select(self, product: ProductRow) -> Select[Row]:
        """Select the product's rows."""
        if self._kind.select is not None:
            return self._kind.select(product)
        return select(self._kind.table).where(self._kind.table.product_id == product.id)

    def _outcome(self, action: Action, product: ProductRow, row: Any) -> Snapshot:
        """Return the document after an action; if an event carries it, without reading it again."""
        values = action.latest_documents.get(row.id)
        if values is None:
            return self._snapshot(action.session, product, row)
        return self._read(values, parse_assumptions(product.assumptions))

    def _snapshot(self, session: Session, product: ProductRow, row: Row) -> Snapshot:
        (snapshot,) = self._snapshots(session, product, [row])
        return snapshot

    def _snapshots(
        self, session: Session, product: ProductRow, rows: Sequence[Row]
    ) -> Iterator[Snapshot]:
        assumptions = parse_assumptions(product.assumptions)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            for values in self._kind.documents(session, product, some):
                yield self._read(values, assumptions)

    def _read(self, values: Mapping[str, JSON], assumptions: AssumptionSet) -> Snapshot:
        text = text_of(document(self._kind.declaration.name, values, assumptions=assumptions))
        return snapshot_of(self._kind.snapshot, values, _text=text)


def has_flag(column: InstrumentedAttribute[bool]) -> Filter:
    """Return the filter that compares a boolean."""
    return lambda _, __, value: column.is_(value)


def has_status(column: InstrumentedAttribute[Any], choices: type[StrEnum], *, what: str) -> Filter:
    """Return the filter that compares a status; it refuses one that there is not."""

    def condition(_: Session, __: ProductRow, value: str) -> ColumnElement[bool]:
        if value not in set(choices):
            raise InvalidValue(f"{value!r} is no status of {what}.", hint=f"Use {any_of(choices)}.")
        return column == choices(value)

    return condition


def refers_to(
    column: InstrumentedAttribute[Any], get: Callable[[Session, ProductRow, str], Any]
) -> Filter:
    """Return the filter of documents that refer to an object, which ``get`` looks up."""
    return lambda session, product, value: column == get(session, product, reference_text(value)).id


def _plain(value: object) -> JSON:
    """Return a value as JSON: a snapshot becomes its id, an instant its text."""
    match value:
        case str():
            return value
        case Identified():
            return value.id
        case datetime():
            return print_instant(value)
        case date():
            return value.isoformat()
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value

"""``product.customers``: the people who make idea requests and vote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from leanbe_emitter.domain import customers
from leanbe_emitter.domain.lookup import Identified
from leanbe_emitter.domain.users import email_key
from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.library.documents.document_snapshot import (
    CustomerReference,
    Document,
    ProductReference,
)
from leanbe_emitter.library.documents.resources import Kind, Resource, has_flag
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.storage.schema.document_tables import CustomerProductRow, CustomerRow
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.payloads.declarations import CUSTOMER
from leanbe_emitter.wire.stringify import JSON

Texts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Customer(Document):
    """A customer. Objects and lists of objects have the document's keys."""

    first_name: str | None
    last_name: str | None
    public_id: str
    email: str
    phone: str | None
    state: str | None
    city: str | None
    address_line1: str | None
    address_line2: str | None
    zipcode: str | None
    country: Texts | None = field(hash=False)
    company: Texts | None = field(hash=False)
    image: Mapping[str, JSON] = field(hash=False)
    gender: str | None
    source: str
    type: str | None
    confirmed: bool
    products: tuple[ProductReference, ...]
    bg_color: str
    is_temporary: bool
    devices: tuple[Texts, ...] = field(hash=False)
    billing_details: tuple[Texts, ...] = field(hash=False)
    notes: tuple[str, ...]


#: A customer is named by a snapshot or a reference, the e-mail, the id, or a part of the id.
CustomerRef = Customer | CustomerReference | str


class CustomerFields(TypedDict, total=False):
    """The settable fields of a customer; None removes an optional value.

    Objects have the document's keys: ``country={"countryCode": "FR"}``. A device or an entry of
    ``billing_details`` without an ``_id`` gets one. ``products`` is the ordered list of all
    products of the customer.
    """

    email: str
    first_name: str | None
    last_name: str | None
    phone: str | None
    state: str | None
    city: str | None
    address_line1: str | None
    address_line2: str | None
    zipcode: str | None
    country: Texts | None
    company: Texts | None
    image: Mapping[str, JSON]
    gender: str | None
    source: str
    type: str | None
    confirmed: bool
    products: Iterable[Identified | str]
    bg_color: str
    is_temporary: bool
    devices: Sequence[Texts]
    billing_details: Sequence[Texts]
    notes: Sequence[str | Texts]


def _has_email(_: Session, __: ProductRow, value: str) -> ColumnElement[bool]:
    return CustomerProductRow.email_key == email_key(check_text(value, what="e-mail"))


class Customers(Resource[CustomerRow, Customer]):
    """The customers of one product."""

    _kind = Kind(
        declaration=CUSTOMER,
        table=CustomerRow,
        documents=lambda session, _, rows: customers.documents(session, rows),
        snapshot=Customer,
        filters={"email": _has_email, "confirmed": has_flag(CustomerRow.confirmed)},
        get=customers.get,
        select=customers.of,
        is_shared=True,
    )

    def create(self, **fields: Unpack[CustomerFields]) -> Customer:
        """Create a customer: ``customer.created``.

        If another product has the customer already, this call adds the customer to the product,
        and the event is ``customer.updated``.

        Args:
            fields: see ``CustomerFields``; ``email`` is required.

        Raises:
            Conflict: the product has a customer with that e-mail already.
            InvalidValue: a field or a value is refused, or the e-mail is missing.
            NotFound: there is no such product.
        """
        return self._make(customers.create, self._values(fields))

    def list(  # noqa: PLR0913 - the filters of a list
        self,
        *,
        email: str | None = None,
        confirmed: bool | None = None,
        order: str = "oldest",
        q: str | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[Customer]:
        """Return customers in the order of creation. A filter that is None selects all.

        Args:
            email: the customer's e-mail, in upper or lower case.
            confirmed: whether the e-mail was verified.
            order: ``oldest`` or ``newest``: which comes first.
            q: a text in the name or the e-mail, in any letter case.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: a database cannot store the e-mail, ``limit`` is 0, or ``after`` is no
                cursor.
        """
        return self._page(
            email=email, confirmed=confirmed, order=order, q=q, limit=limit, after=after
        )

    def update(self, reference: CustomerRef, **fields: Unpack[CustomerFields]) -> Customer:
        """Change a customer: one ``customer.updated``; no event if nothing changes.

        Raises:
            Conflict: another customer of one of the products has the e-mail.
            InvalidValue: a field or a value is refused, or the list of products is empty.
            NotFound: there is no such customer or product.
        """
        values = self._values(fields)
        return self._change(reference, lambda action, _, row: customers.edit(action, row, values))

    def confirm(self, reference: CustomerRef) -> Customer:
        """Mark the e-mail as verified: ``customer.updated``; no event if it was verified already.

        Raises:
            NotFound: there is no such customer.
        """
        return self._change(reference, lambda action, _, row: customers.confirm(action, row))

    def delete(self, reference: CustomerRef) -> None:
        """Delete a customer: ``customer.deleted`` for each of the customer's products.

        Raises:
            NotFound: there is no such customer.
        """
        self._remove(reference, lambda action, _, row: customers.remove(action, row))

"""``leanbe.users`` and ``product.users``: the team members of products."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.domain import lookup, users
from leanbe_emitter.domain.lookup import Identified, reference_text
from leanbe_emitter.library.documents.document_snapshot import UserReference
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.storage.schema.tables import UserRow


@dataclass(frozen=True, kw_only=True)
class User(Identified):
    """A team member."""

    email: str
    first_name: str
    created_at: datetime

    @classmethod
    def of(cls, row: UserRow) -> "User":
        """Take a snapshot of the row."""
        return cls(
            id=row.id,
            email=row.email,
            first_name=row.first_name,
            created_at=from_milliseconds(row.created_at),
        )

    def document(self) -> dict[str, Any]:
        """Return the user as payloads name it: with exactly these three members."""
        return {"_id": self.id, "firstName": self.first_name, "email": self.email}


#: A user is named by a snapshot or a reference, the e-mail, the id, or a part of the id.
UserRef = User | UserReference | str


class ProductUsers:
    """The users of one product."""

    def __init__(self, transactions: Transactions, product_id: str) -> None:
        self._transactions = transactions
        self._product_id = product_id

    @one_transaction
    def create(self, *, email: str, first_name: str) -> User:
        """Create a user with access to the product.

        Raises:
            Conflict: a user with that e-mail has access to the product already.
            InvalidValue: a name or an e-mail address that is refused.
        """
        with self._transactions.acting() as action:
            product = lookup.cached_product(action.session, self._product_id)
            row = users.create(action, product, email=email, first_name=first_name)
            return User.of(row)

    def get(self, reference: UserRef) -> User:
        """Return the user of that e-mail, id, or part of an id.

        Raises:
            NotFound: no user of this product matches.
            InvalidValue: several users match.
        """
        with self._transactions.looking() as session:
            product = lookup.cached_product(session, self._product_id)
            return User.of(users.get(session, product, reference_text(reference)))

    def list(self) -> list[User]:
        """Return the product's users, in the order of their creation."""
        with self._transactions.looking() as session:
            product = lookup.cached_product(session, self._product_id)
            return [User.of(row) for row in users.listed(session, product)]


class Users:
    """The users of all products."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @one_transaction
    def grant(self, reference: UserRef, *, product: Identified | str) -> User:
        """Give a user access to a further product.

        Raises:
            NotFound: there is no such user, or no such product.
            Conflict: another user with that e-mail has access to the product.
            InvalidValue: several users match.
        """
        with self._transactions.acting() as action:
            row = lookup.product(action.session, reference_text(product))
            user = users.get(action.session, None, reference_text(reference))
            return User.of(users.grant(action, user, row))

"""``leanbe.users`` and ``product.users``: the team members of products."""

from typing import TYPE_CHECKING

from leanbe_emitter.domain import product_lookup, users
from leanbe_emitter.library.documents.snapshot import UserReference
from leanbe_emitter.library.runtime.snapshots import User
from leanbe_emitter.library.runtime.transactions import Transactions

if TYPE_CHECKING:
    from leanbe_emitter.library.runtime.snapshots import Product

#: A user is named by a snapshot or a reference, the e-mail, the id, or a part of the id.
UserRef = User | UserReference | str


class ProductUsers:
    """The users of one product."""

    def __init__(self, transactions: Transactions, product_id: str) -> None:
        self._transactions = transactions
        self._product_id = product_id

    def create(self, *, email: str, first_name: str) -> User:
        """Make a user with access to the product.

        Raises:
            Conflict: somebody of that e-mail has access to it already.
            InvalidValue: a name or an e-mail address that is refused.
        """
        with self._transactions.acting() as action:
            product = product_lookup.cached(action.session, self._product_id)
            row = users.create(action, product, email=email, first_name=first_name)
            return User.of(row)

    def get(self, reference: UserRef) -> User:
        """Return the user of that e-mail, id, or part of an id.

        Raises:
            NotFound: there is none in this product.
            InvalidValue: there are several.
        """
        with self._transactions.looking() as session:
            product = product_lookup.cached(session, self._product_id)
            return User.of(users.get(session, _text(reference), product=product))

    def list(self) -> list[User]:
        """Return the product's users, in the order of their creation."""
        with self._transactions.looking() as session:
            product = product_lookup.cached(session, self._product_id)
            return [User.of(row) for row in users.listed(session, product)]


class Users:
    """The users of all products."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def grant(self, reference: UserRef, *, product: "Product | str") -> User:
        """Give a user access to a further product.

        Raises:
            NotFound: there is no such user, or no such product.
            Conflict: somebody else of that e-mail has access to it.
            InvalidValue: several users are named so.
        """
        product_id = product if isinstance(product, str) else product.id
        with self._transactions.acting() as action:
            row = product_lookup.get(action.session, product_id)
            user = users.get(action.session, _text(reference))
            return User.of(users.grant(action, user, row))


def _text(reference: UserRef) -> str:
    return reference if isinstance(reference, str) else reference.id

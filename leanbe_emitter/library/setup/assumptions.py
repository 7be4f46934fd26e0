"""``leanbe.assumptions``: set and show the assumptions of products."""

from leanbe_emitter.domain import assumptions
from leanbe_emitter.library.runtime.snapshots import ProductRef
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.naming import named


class Assumptions:
    """The assumptions that were set for products (contract d)."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def set(self, name: str, value: str, *, product: ProductRef | None = None) -> str:
        """Set an assumption of a product; return the canonical text of its value.

        Without ``product``, it is that of the only product.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such assumption, or it does not take this value.
        """
        with self._transactions.acting() as action:
            return assumptions.set_to(action, named(action.session, product), name, value)

    def unset(self, name: str, *, product: ProductRef | None = None) -> None:
        """Reset an assumption of a product to the article's value.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such assumption.
        """
        with self._transactions.acting() as action:
            assumptions.unset(action, named(action.session, product), name)

    def of(self, product: ProductRef | None = None) -> dict[str, str]:
        """Return the assumptions that were set for a product, with their canonical texts.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.looking() as session:
            return dict(named(session, product).assumptions)

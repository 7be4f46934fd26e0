"""``leanbe.assumptions``: the assumptions of products."""

from leanbe_emitter.domain import lookup, products
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.library.setup.product import ProductRef


class Assumptions:
    """The assumptions that were set for products."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @one_transaction
    def set(self, name: str, value: str, *, product: ProductRef | None = None) -> str:
        """Set an assumption of a product; return the canonical text of its value.

        Args:
            name: the assumption.
            value: the text of a value.
            product: the product; by default the only one.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such assumption, or it does not take this value.
        """
        with self._transactions.acting() as action:
            return products.set_assumption(
                action, lookup.product(action.session, product), name, value
            )

    @one_transaction
    def unset(self, name: str, *, product: ProductRef | None = None) -> None:
        """Set an assumption back to its default.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such assumption.
        """
        with self._transactions.acting() as action:
            products.unset_assumption(action, lookup.product(action.session, product), name)

    def of(self, product: ProductRef | None = None) -> dict[str, str]:
        """Return the assumptions that were set for a product, as canonical texts.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.looking() as session:
            return dict(lookup.product(session, product).assumptions)

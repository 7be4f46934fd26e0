"""``leanbe.assumptions``: how products read the article."""

from leanbe_emitter.domain import assumptions
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import ProductRef


class Assumptions:
    """The assumptions that were set for products (contract d)."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def set(self, name: str, value: str, *, product: ProductRef | None = None) -> str:
        """Set a switch of a product (the only one, if none is named); return its canonical text.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such switch, or it has no such value.
        """
        with self._transactions.acting() as action:
            return assumptions.set_to(action, product_row(action.session, product), name, value)

    def unset(self, name: str, *, product: ProductRef | None = None) -> None:
        """Go back to the article's reading of one switch.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such switch.
        """
        with self._transactions.acting() as action:
            assumptions.unset(action, product_row(action.session, product), name)

    def of(self, product: ProductRef | None = None) -> dict[str, str]:
        """Return the switches that were set, with their canonical texts.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.looking() as session:
            return dict(product_row(session, product).assumptions)

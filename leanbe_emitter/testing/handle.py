"""``Leanbe`` as a test gets it: it knows what receives where nobody is named, and ``Receiver``."""

from collections.abc import Callable

from leanbe_emitter.emitter import Leanbe, Product
from leanbe_emitter.emitter.products import ProductRef
from leanbe_emitter.testing.receiver import Receiver


class TestedLeanbe(Leanbe):
    """A handle of one test.

    Attributes:
        usual_product: makes the product of what is triggered while there is none.
    """

    #: It is no test, whatever its name says.
    __test__ = False

    usual_product: Callable[[], object]

    def _usual_product(self) -> Product | None:
        if not self.products.list():
            self.usual_product()
        return None  # the only one there is

    def _product_at(self, to: object, product: ProductRef | None) -> Product:
        if isinstance(to, Receiver) and product is None:
            return to.product_there(self)
        return super()._product_at(to, product)

"""``Leanbe`` as a test gets it: it knows what receives, and ends with the test."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from leanbe_emitter.errors import NotAwaited
from leanbe_emitter.library import Leanbe, Product
from leanbe_emitter.library.runtime.awaitables import waits_at_end
from leanbe_emitter.library.setup.product import ProductRef
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

    @waits_at_end("leanbe.in_test()")
    async def in_test(self) -> AsyncIterator[None]:
        """Be what a test does: receivers live in its event loop, and are stopped at its end there.

        A test that passes while a fault that it armed was never applied has not tested what it
        says; nor has one that did not await what it called.

        Raises:
            NotAwaited: a call was not awaited.
            FaultNeverFired: a fault was not applied.
        """
        self._engine.adopt_loop()
        try:
            yield
            self._transactions.unawaited.close()
            self.faults.require_fired()
        except BaseException as error:
            self._note_unawaited(error)
            with suppress(Exception):  # what the test raised tells more than what its receiver did
                await self.stop_receivers()
            raise
        await self.stop_receivers()

    def around(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function of a test in such a block; it is asynchronous where the test is."""
        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                async with self.in_test():
                    return await test(*args, **kwargs)

            return awaited

        @functools.wraps(test)
        def called(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with self.in_test():
                return test(*args, **kwargs)

        return called

    def _note_unawaited(self, error: BaseException) -> None:
        try:
            self._transactions.unawaited.close()
        except NotAwaited as unawaited:
            error.add_note(str(unawaited))

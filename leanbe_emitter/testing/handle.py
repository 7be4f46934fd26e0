"""``Leanbe`` for a test: it knows the suite's receiver, and ends with the test."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from leanbe_emitter.errors import NotAwaited
from leanbe_emitter.library import Leanbe, Product
from leanbe_emitter.library.runtime.awaitables import waits_at_end
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.testing.probes import PROBES_OF_PROCESS, Probes
from leanbe_emitter.testing.receiver import Receiver

if TYPE_CHECKING:
    from leanbe_emitter.library import Probed


class TestedLeanbe(Leanbe):
    """A handle of one test.

    Attributes:
        make_default_product: makes the product for ``trigger`` if the database has none.
        receiver: the suite's receiver, if it declared one.
        probes: what the receivers of this run answered.
        probed: what this test's receiver answered, if it was asked.
    """

    #: pytest must not collect this class, whose name begins with Test.
    __test__ = False

    make_default_product: Callable[[], object]
    receiver: Receiver | None = None
    probes: Probes = PROBES_OF_PROCESS
    probed: "Probed | None" = None

    def _usual_product(self) -> Product | None:
        if not self.products.list():
            self.make_default_product()
        return None  # the library then takes the only product

    def _product_at(self, to: object, product: ProductRef | None) -> Product:
        if isinstance(to, Receiver) and product is None:
            self.receiver = to
            return to.product_there(self)
        return super()._product_at(to, product)

    @waits_at_end("leanbe.in_test()")
    async def in_test(self) -> AsyncIterator[None]:
        """Run the block as a test: receivers live in its event loop, and stop there at its end.

        A test fails if it armed a fault that was never applied, or did not await a call: such a
        test has not tested what it claims.

        Raises:
            NotAwaited: the test did not await a call.
            FaultNeverFired: a fault was not applied.
        """
        self._engine.adopt_loop()
        try:
            yield
            self._transactions.unawaited.close()
            self.faults.require_fired()
        except BaseException as error:
            self._note_unawaited(error)
            if isinstance(error, AssertionError) and self.probed is None:
                await self._ask_receiver()
            with suppress(Exception):  # the test's own error explains more
                await self.stop_receivers()
            raise
        await self.stop_receivers()

    def wrap(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """Return a test's function with ``in_test`` around it, asynchronous if the test is."""
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

    async def _ask_receiver(self) -> None:
        with suppress(Exception):  # the test's own error explains more
            self.probed = await self.probes.ask(self, self.receiver)

    def _note_unawaited(self, error: BaseException) -> None:
        try:
            self._transactions.unawaited.close()
        except NotAwaited as unawaited:
            error.add_note(str(unawaited))

"""Mixin for suites written with ``unittest``, under any test runner."""

import functools
import inspect
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.testing.conformance import check_of, driven, report_result
from leanbe_emitter.testing.options import HandleOptions, number_of_seed, seed_of_test

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, Product
    from leanbe_emitter.testing.handle import TestedLeanbe
    from leanbe_emitter.testing.receiver import Receiver

    _Case = unittest.TestCase
else:
    _Case = object


class LeanbeMixin(_Case):
    """Mixin that gives each test of a ``unittest.TestCase``, or of Django's, a handle.

    Receivers stop before ``tearDown``. A failure has a note with the deliveries. A test fails if
    its faults never fired.

    Attributes:
        leanbe: the handle, from ``setUp`` on.
        leanbe_seed: the seed of ids and secrets, together with each test's id.
        leanbe_options: the other options, by name (``clock``, ``assume``, ``app_errors``, ``db``).
    """

    leanbe_seed: ClassVar[int | str] = 0
    leanbe_options: ClassVar[Mapping[str, Any]] = {}
    leanbe: "Leanbe"
    _handle: "TestedLeanbe"
    _is_watched = False

    def leanbe_receiver(self) -> "Receiver":
        """Return the suite's receiver; every suite defines this method.

        Raises:
            InvalidValue: the suite does not define it.
        """
        raise InvalidValue(
            f"{type(self).__name__} does not define its receiver.",
            hint="Define the method leanbe_receiver: return Receiver(app, path=..., secret=...).",
        )

    def leanbe_observe(self) -> Any:
        """Return what the receiver stored, for ``assert_conforms``; a suite may define it.

        A number will do; a list or an object says more. None: nothing shows it.
        """
        return None

    def assert_conforms(self, *checks: str, exclude: Sequence[str] = ()) -> None:
        """Check that the suite's receiver is right: a subtest for each check.

        Args:
            checks: ids and globs of checks (``signature.*``); none means all.
            exclude: ids and globs of checks to leave out.

        Raises:
            InvalidValue: an id or glob matches no check, or the receiver's secret is not known.
        """
        receiver = self.leanbe_receiver()
        is_observed = type(self).leanbe_observe is not LeanbeMixin.leanbe_observe
        work = check_of(
            receiver,
            checks=checks,
            exclude=exclude,
            observe=self.leanbe_observe if is_observed else None,
            assume=self.leanbe_options.get("assume", {}),
            seed=number_of_seed(self.leanbe_seed),
        )
        report = driven(work, receiver)
        for result in report.results:
            with self.subTest(check=result.id):
                report_result(result, report.diagnosis, fail=self.fail, skip=self.skipTest)

    @functools.cached_property
    def leanbe_product(self) -> "Product":
        """A product whose events go to ``leanbe_receiver``."""
        self._handle.receiver = self.leanbe_receiver()
        return self._handle.receiver.product(self.leanbe)

    def setUp(self) -> None:
        """Open an empty handle."""
        super().setUp()
        options = HandleOptions(seed=seed_of_test(self.leanbe_seed, self.id())).with_changes(
            self.leanbe_options
        )
        handle = options.open_handle(make_default_product=lambda: self.leanbe_product)
        self.leanbe = self._handle = handle
        self.addCleanup(handle.close)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the test; Django makes an asynchronous test synchronous here."""
        with self._watching():
            return super().__call__(*args, **kwargs)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test, and stop its receivers before ``tearDown`` removes what they use."""
        with self._watching():
            return super().run(result)

    @contextmanager
    def subTest(self, *args: Any, **params: Any) -> Iterator[None]:  # noqa: N802 - unittest's name
        """Run a part of the test; a failure of this part gets the note too."""
        with super().subTest(*args, **params), self._noting():
            yield

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Watch the test; only the outermost caller does."""
        if self._is_watched:
            yield
            return
        name = self._testMethodName
        method = getattr(self, name)
        setattr(self, name, self._watched(method))
        self._is_watched = True
        try:
            yield
        finally:
            self._is_watched = False
            setattr(self, name, method)

    def _watched(self, method: Callable[[], Any]) -> Callable[[], Any]:
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def awaited() -> Any:
                with self._noting():
                    return await self._handle.wrap(method)()

            return awaited

        @functools.wraps(method)
        def called() -> Any:
            with self._noting():
                return self._handle.wrap(method)()

        return called

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            error.add_note(f"leanbe deliveries:\n{_shown(self._handle)}")
            raise


def _shown(handle: "TestedLeanbe") -> str:
    # Only a failed test loads this.
    from leanbe_emitter.testing.failure_report import MISTAKES_OF_PROCESS, failure_report_or_reason  # noqa: PLC0415

    return failure_report_or_reason(handle, MISTAKES_OF_PROCESS, handle.probed)

"""One conformance check as a test of pytest."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from leanbe_emitter.delivery.event_loops import running_loop
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.testing.conformance import check_of, driven, report_result
from leanbe_emitter.testing.options import number_of_seed
from leanbe_emitter.testing.receiver import Receiver


class CheckOfTest:
    """The call that makes the check of a test.

    Args:
        check: the check's id.
        receiver: the suite's receiver.
        observe: returns what the receiver stored; None: nothing shows it.
        assume: assumptions by name.
        seed: the seed of the test.
    """

    def __init__(
        self,
        check: str,
        receiver: Receiver,
        *,
        observe: Callable[[], Any] | None,
        assume: Mapping[str, str],
        seed: int | str,
    ) -> None:
        self._check = check
        self._receiver = receiver
        self._observe = observe
        self._assume = assume
        self._seed = number_of_seed(seed)

    def __call__(self) -> Coroutine[Any, Any, None] | None:
        """Make the check; in an asynchronous test, return what is to be awaited."""
        __tracebackhide__ = True
        if running_loop() is not None:
            return self._awaited()
        self._judge(driven(self._work(), self._receiver))
        return None

    async def _awaited(self) -> None:
        __tracebackhide__ = True
        self._judge(await self._work())

    def _work(self) -> Coroutine[Any, Any, Any]:
        __tracebackhide__ = True
        try:
            return check_of(
                self._receiver,
                checks=(self._check,),
                observe=self._observe,
                assume=self._assume,
                seed=self._seed,
            )
        except LeanbeError as error:
            pytest.fail(f"leanbe_check cannot be set up: {error}", pytrace=False)

    def _judge(self, report: Any) -> None:
        __tracebackhide__ = True
        result = next(each for each in report.results if each.id == self._check)
        report_result(
            result,
            report.diagnosis,
            fail=lambda said: pytest.fail(said, pytrace=False),
            skip=pytest.skip,
        )

"""What can be set for one test, and the handle that comes of it.

The defaults make a test's bytes the same in every run: the time stands still, and all ids come from
a seed of the test's own.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from leanbe_emitter.clock import Clock, ManualClock, SystemClock
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.suggestions import any_of

if TYPE_CHECKING:
    from leanbe_emitter.testing.handle import TestedLeanbe

#: What time it is when a test begins.
START = datetime(2026, 1, 1, tzinfo=UTC)
IN_MEMORY = ":memory:"

AppErrors = Literal["raise", "record"]


@dataclass(frozen=True, kw_only=True)
class HandleOptions:
    """What a handle is made with.

    Attributes:
        seed: where ids and secrets come from.
        clock: ``manual`` stands still at the start of 2026, ``system`` is the machine's; or a
            clock. None: the database's own, whoever moves it.
        assume: assumptions of the products that are made (contract d).
        app_errors: ``raise`` what an app raised in the test, too, or only ``record`` it.
        db: a database of the user's own; it is emptied before the test.
    """

    seed: int | str
    clock: Clock | str | None = "manual"
    assume: Mapping[str, str] = field(default_factory=dict)
    app_errors: AppErrors = "raise"
    db: str = IN_MEMORY

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Return other options; assumptions are added to those that there are.

        Raises:
            InvalidValue: there is no such option.
        """
        known = [each.name for each in fields(self)]
        for name in changes:
            if name not in known:
                raise InvalidValue(f"There is no option {name!r}.", hint=f"Use {any_of(known)}.")
        assume = {**self.assume, **changes.get("assume", {})}
        return replace(self, **{**changes, "assume": assume})

    def open_handle(self, *, make_default_product: Callable[[], object]) -> "TestedLeanbe":
        """Open an empty handle.

        Args:
            make_default_product: makes the product of what is triggered while there is none.

        Raises:
            InvalidValue: a option is refused.
            DatabaseUnavailable: the database cannot be opened.
        """
        # The sending side is loaded by the first test that uses it.
        from leanbe_emitter.testing.handle import TestedLeanbe  # noqa: PLC0415

        if self.app_errors not in get_args(AppErrors):
            raise InvalidValue(
                f"{self.app_errors!r} says nothing about what apps raise.",
                hint=f"Use {any_of(get_args(AppErrors))}.",
            )
        leanbe = TestedLeanbe(
            self.db,
            seed=self.seed,
            clock=_clock(self.clock),
            assume=self.assume,
            app_errors=self.app_errors,
        )
        leanbe.make_default_product = make_default_product
        if self.db != IN_MEMORY:
            leanbe.reset()
        return leanbe


def seed_of_test(seed: object, test_id: str) -> str:
    """Return the seed of one test: the same in every run, process and order."""
    return hashlib.sha256(f"{seed}/{test_id}".encode()).hexdigest()


def _clock(clock: Clock | str | None) -> Clock | None:
    if not isinstance(clock, str):
        return clock
    if clock == "manual":
        return ManualClock(START)
    if clock == "system":
        return SystemClock()
    raise InvalidValue(f"{clock!r} is no clock.", hint="Use manual or system, or give a clock.")

"""Options of a test's handle, and the handle that they describe.

With the default options a test's bytes are the same in every run: the clock stands still, and all
ids come from a seed of the test.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from leanbe_emitter.clock import Clock, ManualClock, SystemClock
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.did_you_mean import any_of

if TYPE_CHECKING:
    from leanbe_emitter.testing.handle import TestedLeanbe

#: Time of the clock when a test begins.
START = datetime(2026, 1, 1, tzinfo=UTC)
IN_MEMORY = ":memory:"

AppErrors = Literal["raise", "record"]


@dataclass(frozen=True, kw_only=True)
class HandleOptions:
    """Options with which a test's handle is opened.

    Attributes:
        seed: the seed of all ids and secrets.
        clock: ``manual`` (stands still at the start of 2026), ``system`` (the machine's clock), or
            a clock. None: the database's own clock.
        assume: assumptions of the products that the test makes.
        app_errors: ``raise`` an app's errors in the test, or only ``record`` them.
        db: the URL of a database of the user, which is emptied before the test.
    """

    seed: int | str
    clock: Clock | str | None = "manual"
    assume: Mapping[str, str] = field(default_factory=dict)
    app_errors: AppErrors = "raise"
    db: str = IN_MEMORY

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with other options; given assumptions are added to the present ones.

        Raises:
            InvalidValue: there is no option of that name.
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
            make_default_product: makes the product for ``trigger`` if the database has none.

        Raises:
            InvalidValue: an option has an invalid value.
            DatabaseUnavailable: the database cannot be opened.
        """
        # The first test that opens a handle loads the sending code.
        from leanbe_emitter.testing.handle import TestedLeanbe  # noqa: PLC0415

        if self.app_errors not in get_args(AppErrors):
            raise InvalidValue(
                f"{self.app_errors!r} is not a value of app_errors.",
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


def number_of_seed(seed: object) -> int:
    """Return a seed as a number, for reports."""
    return int(hashlib.sha256(f"{seed}".encode()).hexdigest()[:8], 16)


def _clock(clock: Clock | str | None) -> Clock | None:
    if not isinstance(clock, str):
        return clock
    if clock == "manual":
        return ManualClock(START)
    if clock == "system":
        return SystemClock()
    raise InvalidValue(f"{clock!r} is not a clock.", hint="Use manual or system, or pass a clock.")

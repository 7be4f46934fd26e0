"""Time and chance come from one place each."""

import copy
import pickle
import random
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.clock import (
    ManualClock,
    SystemClock,
    from_milliseconds,
    milliseconds_of,
    to_milliseconds,
)
from leanbe_emitter.ids import IdOf, Ids

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_manual_clock_moves_only_when_it_is_told_to() -> None:
    clock = ManualClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(hours=1, seconds=2)
    assert clock.now() == NOON + timedelta(hours=1, seconds=2)
    clock.set(NOON.astimezone(timezone(timedelta(hours=-7))))
    assert clock.now().isoformat() == "2026-11-24T12:00:00+00:00"


def test_a_manual_clock_moves_on_only_from_where_it_was_seen() -> None:
    clock, hour = ManualClock(NOON), timedelta(hours=1)
    assert clock.move_from(NOON, to=NOON + hour)
    assert not clock.move_from(NOON, to=NOON + 2 * hour)
    assert clock.now() == NOON + hour


class HeldUpClock(ManualClock):
    """One whose first reader is held up by what another thread does meanwhile, if it can."""

    def __init__(self, start: datetime, *, meanwhile: Callable[[ManualClock], object]) -> None:
        self._other = threading.Thread(target=meanwhile, args=[self])
        super().__init__(start)

    @property
    def _now(self) -> datetime:
        read = self._stands_at
        if self._other.ident is None:
            self._other.start()
            # Where it has to wait for this thread, it does not end before.
            self._other.join(0.2)
        return read

    @_now.setter
    def _now(self, instant: datetime) -> None:
        self._stands_at = instant

    def now(self) -> datetime:
        self._other.join()
        return self._stands_at


@pytest.mark.parametrize(
    ("meanwhile", "moved"),
    [
        (lambda clock: clock.advance(hours=2), timedelta(hours=3)),
        (lambda clock: clock.set(NOON + timedelta(days=1)), timedelta(days=1)),
    ],
    ids=["advance meanwhile", "set meanwhile"],
)
@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.advance(hours=1),
        lambda clock: clock.move_from(NOON, to=NOON + timedelta(hours=1)),
    ],
    ids=["advance", "move_from"],
)
def test_no_move_of_a_manual_clock_is_lost_that_another_thread_makes_meanwhile(
    move: Callable[[ManualClock], object],
    meanwhile: Callable[[ManualClock], object],
    moved: timedelta,
) -> None:
    clock = HeldUpClock(NOON, meanwhile=meanwhile)
    move(clock)
    assert clock.now() == NOON + moved


def test_a_manual_clock_can_be_pickled_and_copied() -> None:
    clock = ManualClock(NOON)
    for another in (pickle.loads(pickle.dumps(clock)), copy.deepcopy(clock)):  # noqa: S301 - ours
        assert another.now() == NOON
        another.advance(hours=1)
    assert clock.now() == NOON


def test_the_system_clock_is_aware_and_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


@given(st.integers(min_value=-(10**12), max_value=10**14))
def test_milliseconds_survive_the_way_there_and_back(milliseconds: int) -> None:
    assert to_milliseconds(from_milliseconds(milliseconds)) == milliseconds


def test_the_system_clock_tells_the_same_time_in_milliseconds() -> None:
    clock = SystemClock()
    before, now, after = clock.now(), milliseconds_of(clock)(), clock.now()
    assert to_milliseconds(before) <= now <= to_milliseconds(after)


def test_a_clock_that_knows_dates_only_tells_milliseconds_rounded_down() -> None:
    clock = ManualClock(datetime(1970, 1, 1, 0, 0, 1, 1999, tzinfo=UTC))
    tell = milliseconds_of(clock)
    assert tell() == 1001
    clock.advance(seconds=1)
    assert tell() == 2001


def test_a_clock_that_changes_the_systems_time_tells_milliseconds_by_its_own() -> None:
    class HourAhead(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(hours=1)

    ahead = milliseconds_of(HourAhead())() - to_milliseconds(SystemClock().now())
    assert ahead > 59 * 60 * 1000


def test_object_ids_carry_their_second_and_sort_by_creation() -> None:
    ids = Ids(random.Random(7))
    first, second = ids.object_id(NOON), ids.object_id(NOON)
    assert re.fullmatch("[0-9a-f]{24}", first)
    assert int(first[:8], 16) == int(NOON.timestamp())
    assert first[8:18] == second[8:18]
    assert first < second


@pytest.mark.parametrize("seed", range(10))
def test_ids_of_several_sort_by_creation_where_each_follows_the_last(seed: int) -> None:
    makers, made = [Ids(random.Random(seed)), Ids(random.Random(seed + 1))], list[str]()
    for ids in makers * 5:
        ids.follow(made[-1] if made else None, of=IdOf.EVENT)
        made += [ids.object_id(NOON, of=IdOf.EVENT), ids.object_id(NOON, of=IdOf.EVENT)]
    assert made == sorted(made)


def test_two_who_follow_the_same_id_make_different_ones() -> None:
    last = f"{int(NOON.timestamp()):08x}ff00000000ffffff"
    makers = [Ids(random.Random(7)), Ids(random.Random(8))]
    for ids in makers:
        ids.follow(last, of=IdOf.EVENT)
    first, second = (ids.object_id(NOON, of=IdOf.EVENT) for ids in makers)
    assert last < min(first, second)
    assert first[8:18] != second[8:18]


@pytest.mark.parametrize("make", [Ids.public_id, Ids.secret, Ids.colour])
def test_one_seed_gives_the_same_values_in_every_run(make: Callable[[Ids], str]) -> None:
    assert make(Ids(random.Random(7))) == make(Ids(random.Random(7)))
    assert make(Ids(random.Random(7))) != make(Ids(random.Random(8)))


def test_values_have_the_contracts_shapes() -> None:
    ids = Ids()
    assert re.fullmatch("[0-9a-f]{64}", ids.secret())
    assert re.fullmatch("#[0-9A-F]{6}", ids.colour())
    assert re.fullmatch(
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ids.public_id()
    )

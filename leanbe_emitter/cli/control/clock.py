"""The commands ``clock ...``: show the clock, and move a manual one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.attempt_printer import printing_attempts
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.param_types import CLOCK_TIME, MOVE

if TYPE_CHECKING:
    from datetime import datetime

    from leanbe_emitter.library import Leanbe

_COLUMNS = [output.column("now"), output.column("kind")]


@group("clock", example="leanbe-emitter clock show")
def clock() -> None:
    """The clock; a manual clock stands still until you move it.

    "serve --clock manual" makes the database's clock manual for every process, including servers
    and workers that run already. A manual clock holds back only retries: workers send at once what
    is due at its time.
    """


@subcommand(clock, "show", example="leanbe-emitter clock show")
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show the time, the kind of the clock (manual or system), and when the next retry is due."""
    with invocation.open_leanbe() as leanbe:
        _show(invocation, leanbe)


@subcommand(clock, "set", example="leanbe-emitter clock set 2026-01-01T00:00:00.000Z")
@click.argument("time", type=CLOCK_TIME, metavar="TIME")
@click.pass_obj
def set_(invocation: Invocation, time: "datetime") -> None:
    """Set a manual clock, forwards or backwards. Workers send at once what is due then.

    The time must lie in the years 1971 to 2105, in UTC.
    """
    with invocation.open_leanbe() as leanbe:
        leanbe.clock.set(time)
        _show(invocation, leanbe)


@subcommand(clock, "advance", example="leanbe-emitter clock advance 1h")
@click.argument("way", type=MOVE, metavar="TIME")
@click.pass_obj
def advance(invocation: Invocation, way: "float | datetime | Literal['next']") -> None:
    """Advance a manual clock, and make each retry at its own time.

    TIME is a duration, an instant, or "next": to the next retry.

    Attempts that are due at the same instant begin in order; a worker makes several of them at
    once. The output also shows attempts that workers make meanwhile. If several processes advance
    the clock at once, their durations add up. Exits with 1 if a receiver did not accept an attempt.
    """
    with invocation.open_leanbe() as leanbe:
        if isinstance(way, float):
            _move(invocation, leanbe, lambda: leanbe.clock.advance(seconds=way))
        else:
            _move(invocation, leanbe, lambda: leanbe.clock.advance(to=way))


@subcommand(clock, "run-until-settled", example="leanbe-emitter clock run-until-settled")
@click.pass_obj
def run_until_settled(invocation: Invocation) -> None:
    """Advance a manual clock until all deliveries are settled, and make every attempt on the way.

    The output also shows attempts that workers make meanwhile. Exits with 1 if a receiver did not
    accept an attempt.
    """
    with invocation.open_leanbe() as leanbe:
        _move(invocation, leanbe, leanbe.clock.run_until_settled)


def _show(invocation: Invocation, leanbe: "Leanbe") -> None:
    coming = leanbe.clock.next()
    time = {
        "now": output.format_instant(leanbe.clock.now()),
        "kind": leanbe.clock.kind,
        "next": None if coming is None else coming.document(),
    }
    output.print_document(invocation.output_format, time, columns=_COLUMNS)
    if coming is not None:
        falls_due = "delivery falls" if coming.count == 1 else "deliveries fall"
        at = output.format_instant(coming.at)
        invocation.notice(f"The next {coming.count} {falls_due} due at {at}.")


def _move(invocation: Invocation, leanbe: "Leanbe", move: Callable[[], object]) -> None:
    """Move the clock, and print the attempts of all processes meanwhile."""
    since = leanbe.journal.follow_cursor()
    move()
    with printing_attempts(invocation, retried_by=" by the clock") as printer:
        for entry in leanbe.journal.read_all(since):
            if entry.attempt is not None:
                printer.ended(entry.attempt)
        invocation.notice(f"The clock shows {output.format_instant(leanbe.clock.now())}.")

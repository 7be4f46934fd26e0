"""The commands ``clock ...``: the time, and moving it where it is a manual clock's."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.attempt_watchers import printing_attempts
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe
from leanbe_emitter.cli.invocation.param_types import AGE, CLOCK_TIME

if TYPE_CHECKING:
    from datetime import datetime

    from leanbe_emitter.library import Leanbe

_COLUMNS = [output.column("now"), output.column("kind")]


@group("clock", example="leanbe-emitter clock show")
def clock() -> None:
    """The time; a manual clock's stands still until it is moved.

    "serve --clock manual" and "serve --ephemeral" make the clock of a database manual, for every
    process on it; servers and workers that run already follow. It holds back retries only: what is
    due at its present time is sent at once.
    """


@subcommand(clock, "show", example="leanbe-emitter clock show")
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show the time, and whose it is: manual, or the system's."""
    with open_leanbe(invocation) as leanbe:
        _show(invocation, leanbe)


@subcommand(clock, "set", example="leanbe-emitter clock set 2026-01-01T00:00:00.000Z")
@click.argument("time", type=CLOCK_TIME, metavar="TIME")
@click.pass_obj
def set_(invocation: Invocation, time: "datetime") -> None:
    """Set a manual clock, backwards too; what is due then, workers send at once.

    It is moved within the years 1971 to 8999, in UTC.
    """
    with open_leanbe(invocation) as leanbe:
        leanbe.clock.set(time)
        _show(invocation, leanbe)


@subcommand(clock, "advance", example="leanbe-emitter clock advance 1h")
@click.argument("way", type=AGE, metavar="TIME")
@click.pass_obj
def advance(invocation: Invocation, way: float) -> None:
    """Move a manual clock on, and make every retry that falls due, at its own time.

    What falls due at one instant is made in order; workers have several of it under way at once.
    Attempts that they make meanwhile are printed, too. Whoever moves it at the same time moves it
    by all of their way, too. Exits with 1 if one was not accepted.
    """
    with open_leanbe(invocation) as leanbe:
        _move(invocation, leanbe, lambda: leanbe.clock.advance(seconds=way))


@subcommand(clock, "run-until-settled", example="leanbe-emitter clock run-until-settled")
@click.pass_obj
def run_until_settled(invocation: Invocation) -> None:
    """Move a manual clock on until nothing is owed any more, and make every attempt on the way.

    Attempts that workers make meanwhile are printed, too. Exits with 1 if one was not accepted.
    """
    with open_leanbe(invocation) as leanbe:
        _move(invocation, leanbe, leanbe.clock.run_until_settled)


def _show(invocation: Invocation, leanbe: "Leanbe") -> None:
    time = {"now": output.format_instant(leanbe.clock.now()), "kind": leanbe.clock.kind}
    output.print_document(invocation.output_format, time, columns=_COLUMNS)


def _move(invocation: Invocation, leanbe: "Leanbe", move: Callable[[], object]) -> None:
    """Move the clock, and print the attempts that were made meanwhile, whoever made them."""
    since = leanbe.watching.end()
    move()
    with printing_attempts(invocation, leanbe.clock, retried_by=" by the clock") as watcher:
        for entry in leanbe.watching.until_now(since):
            if entry.delivery is not None and entry.attempt is not None:
                watcher.on_record(entry.delivery, entry.attempt)
        invocation.notice(f"It is {output.format_instant(leanbe.clock.now())}.")

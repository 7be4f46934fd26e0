"""The command ``worker``: deliver what is due."""

import signal
from typing import Any

import click

from leanbe_emitter.cli.invocation.attempt_watchers import printing_turns
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.garbage_collection import infrequent_garbage_collection
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.notices import backlog_text
from leanbe_emitter.cli.invocation.opening import open_leanbe
from leanbe_emitter.clock import MANUAL

_RETRIES_WAIT = "The clock is manual: retries wait until it is moved: leanbe-emitter clock advance."


@command("worker", example="leanbe-emitter worker --drain")
@click.option(
    "--concurrency", type=click.IntRange(min=1), metavar="N", help="Attempts in flight at once."
)
@click.option(
    "--per-product",
    type=click.IntRange(min=1),
    metavar="N",
    help="Attempts of one product in flight at once.",
)
@click.option("--drain", is_flag=True, help="Until nothing is due, then exit with 0.")
@click.pass_obj
def worker(
    invocation: Invocation, *, concurrency: int | None, per_product: int | None, drain: bool
) -> None:
    """Deliver what is due, retries included.

    Any number of workers may run on one database; where its clock is manual, they make retries when
    it is moved: see "clock". SIGTERM, Ctrl-C and the end of its terminal let finish what is in
    flight, and end it with 0; a second of the first two waits for nothing.
    """
    arguments: dict[str, Any] = {"concurrency": concurrency, "per_product": per_product}
    with open_leanbe(invocation, **arguments) as leanbe:
        invocation.notice(backlog_text(leanbe.due(), now=leanbe.clock.now()))
        if leanbe.clock.kind == MANUAL:
            invocation.notice(_RETRIES_WAIT)
        with printing_turns(invocation, leanbe.clock) as watcher, infrequent_garbage_collection():
            stopped_by = leanbe.work(drain=drain, watcher=watcher)
    if drain and stopped_by is signal.SIGINT:  # it was to go on until nothing is due
        raise KeyboardInterrupt

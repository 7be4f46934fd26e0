"""The command ``worker``: a worker in this process."""

import signal
from typing import Any

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.attempt_printer import printing_turns
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation, backlog_text
from leanbe_emitter.cli.invocation.param_types import WholeNumber
from leanbe_emitter.cli.invocation.process_tuning import (
    infrequent_garbage_collection,
    raise_descriptor_limit,
)
from leanbe_emitter.clock import MANUAL

_RETRIES_WAIT = "The clock is manual: retries wait until you move it: leanbe-emitter clock advance."


@command("worker", example="leanbe-emitter worker --drain")
@click.option(
    "--concurrency", type=WholeNumber(min=1), metavar="N", help="Attempts in flight at once."
)
@click.option(
    "--per-product",
    type=WholeNumber(min=1),
    metavar="N",
    help="Attempts of one product in flight at once.",
)
@shared_options.only_targets
@click.option("--drain", is_flag=True, help="Exit with 0 as soon as nothing is due.")
@click.pass_obj
def worker(
    invocation: Invocation,
    *,
    concurrency: int | None,
    per_product: int | None,
    only_targets: tuple[str, ...] | None,
    drain: bool,
) -> None:
    """Run a worker in this process until SIGTERM.

    It delivers what is due, including retries. Any number of workers can share a database. With a
    manual clock, retries wait until you move it: see "clock". At SIGTERM, Ctrl-C or the end of the
    terminal, the worker finishes the attempts in flight and exits with 0. At a second SIGTERM or
    Ctrl-C it exits at once.
    """
    arguments: dict[str, Any] = {
        "concurrency": concurrency,
        "per_product": per_product,
        "only_targets": only_targets,
    }
    raise_descriptor_limit()
    with invocation.open_leanbe(**arguments) as leanbe:
        invocation.notice(backlog_text(leanbe.due(), now=leanbe.clock.now()))
        if leanbe.clock.kind == MANUAL:
            invocation.notice(_RETRIES_WAIT)
        with printing_turns(invocation) as watcher, infrequent_garbage_collection():
            stopped_by = leanbe.work(drain=drain, watcher=watcher)
    if drain and stopped_by is signal.SIGINT:  # it stopped before nothing was due
        raise KeyboardInterrupt

"""The filters of deliveries on the command line, and the library's filter of them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.commands import EnumChoice
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.param_types import SINCE
from leanbe_emitter.storage.schema.states import Outcome

if TYPE_CHECKING:
    from leanbe_emitter.library import Filter, Leanbe

F = TypeVar("F", bound=Callable[..., Any])

_EVIDENCE: Final = (
    click.option("--q", metavar="TEXT", help="Text in the body, or an end of an id."),
    click.option("--about", metavar="ID", help="The document that the payload is."),
    click.option("--outcome", type=EnumChoice(Outcome), help="The outcome of the last attempt."),
    click.option("--answer", metavar="STATUS", help="The last answer: 503, or 4xx."),
    click.option("--fault", metavar="KIND", help="The fault of the last attempt; any: any fault."),
)


def delivery_filters(
    *, job: str = "--job", since: str | None = "--since", before: str = "--before"
) -> Callable[[F], F]:
    """Return a decorator that adds the filters of deliveries.

    Args:
        job: the name of the option for the job that made them.
        since: the name of the option for the greatest age; None: there is none.
        before: the name of the option for the least age.
    """
    options = [
        shared_options.status_filter,
        shared_options.event_filter,
        shared_options.product_filter,
        *([] if since is None else [_time(since, "Created since then")]),
        _time(before, "Created before then"),
        *_EVIDENCE,
        click.option(job, metavar="NAME", help="Made by this job."),
    ]

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _time(name: str, meaning: str) -> Callable[[F], F]:
    return click.option(
        name, type=SINCE, metavar="TIME", help=f"{meaning}: an age such as 10m, or an instant."
    )


def filter_of(leanbe: "Leanbe", given: Mapping[str, Any]) -> "Filter":
    """Return the library's filter of these values; an age becomes an instant."""
    from leanbe_emitter.library import Filter  # noqa: PLC0415 - loads SQLAlchemy

    ages = {name: _ago(leanbe, given.get(name)) for name in ("since", "before")}
    return Filter(**{**given, **ages})


def notice_searched(invocation: Invocation, leanbe: "Leanbe", which: "Filter") -> None:
    """Say on stderr how far a filter looked, if there are older deliveries."""
    if (searched := leanbe.deliveries.searched(which)) is not None:
        invocation.notice(f"Looked at the newest {searched} deliveries only.")


def require_ids_or_filter(ids: tuple[str, ...], filters: Mapping[str, Any], *, age: str) -> None:
    """Check that the user gave either ids or a filter.

    Raises:
        click.UsageError: neither, or both.
    """
    is_filtered = any(each is not None for each in filters.values())
    if ids and is_filtered:
        raise click.UsageError("An ID needs no filter: leave out one of them.")
    if not ids and not is_filtered:
        raise click.UsageError(
            f"Say which: ID, --status, --event, --product or {age}. "
            "For all deliveries: --event '*'."
        )


def _ago(leanbe: "Leanbe", time: float | datetime | None) -> datetime | None:
    """Return an instant: that of an age in seconds, or the given one."""
    return leanbe.clock.now() - timedelta(seconds=time) if isinstance(time, float) else time

"""What a command tells of events for which nothing is owed."""

from collections.abc import Iterable

from leanbe_emitter.cli.invocation.invocation import Invocation


def tell_what_is_not_owed(invocation: Invocation, events: Iterable[str]) -> None:
    """Tell of events that were recorded and have no delivery, if there are any."""
    names = list(dict.fromkeys(events))
    if names:
        invocation.notice(
            f"Recorded, and nothing is owed for {', '.join(names)}: the product has no webhook "
            "URL (webhook set), or does not want the event (assumption events)."
        )

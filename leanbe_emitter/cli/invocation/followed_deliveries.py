"""The exit status of ``--follow``: the ends of the deliveries decide, not each attempt."""

from typing import TYPE_CHECKING

from leanbe_emitter.cli.invocation.exit_status import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leanbe_emitter.library import Delivery, Leanbe


def require_delivered(leanbe: "Leanbe", deliveries: "Sequence[Delivery]") -> None:
    """Check that deliveries that were followed ended delivered, after however many attempts.

    Raises:
        Failed: a delivery did not.
    """
    # From the database: another process may have made the last attempt.
    ended = leanbe.deliveries.of(each.id for each in deliveries)
    failed = len(deliveries) - sum(each.delivered for each in ended)
    if failed:
        noun = "delivery" if len(deliveries) == 1 else "deliveries"
        raise Failed(
            f"{failed} of {len(deliveries)} {noun} did not end delivered.",
            hint="See: leanbe-emitter deliveries list",
        )

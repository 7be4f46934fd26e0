"""Requests that the receiver should accept: each is judged by its status alone."""

from collections.abc import Sequence

from leanbe_emitter.conformance.checks import Check, RequestCheck
from leanbe_emitter.conformance.run_context import RunContext


async def send_valid_requests(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the request of each check."""
    for check in checks:
        assert isinstance(check, RequestCheck)  # noqa: S101 - the group has no others
        await context.control_if_due()
        exchange = await context.send_valid(check.make(context.factory))
        context.judge_valid(check, exchange)

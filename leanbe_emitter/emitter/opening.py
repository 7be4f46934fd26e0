"""What a handle is opened with: its database, ready to be used, and what carries its requests."""

from typing import TYPE_CHECKING

from leanbe_emitter.clock import Clock
from leanbe_emitter.delivery.kept import Kept
from leanbe_emitter.delivery.transport import Transport
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.clocks import clock_of
from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.migrate import prepare
from leanbe_emitter.targets import TargetRules

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport


def prepared(database: Database, clock: Clock | str | None) -> tuple[bool, Clock]:
    """Return whether the database was made, or migrated, just now; and what tells the time."""
    try:
        return prepare(database), clock_of(database, clock)
    except LeanbeError:
        database.close()
        raise


def carrier(
    transport: "Transport | AsyncBaseTransport | None", *, rules: TargetRules, settings: Settings
) -> Transport | None:
    """Return what carries requests; httpx is loaded only for who brings a transport of its."""
    if transport is None or hasattr(transport, "send"):
        return transport
    from leanbe_emitter.delivery.httpx_transport import HttpxTransport  # noqa: PLC0415 - slow

    return HttpxTransport(transport, rules=rules, kept=kept(settings))


def kept(settings: Settings) -> Kept:
    """Return how much of an answer is kept."""
    return Kept(answer_bytes=settings.kept_answer_bytes, header_bytes=settings.kept_header_bytes)

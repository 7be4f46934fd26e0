"""A server as a test gets it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server in a process of its own: empty before the test, and delivering what is due.

    Attributes:
        url: where it listens; the API is at ``/api/v1`` there.
        token: what callers have to show; None: nothing.
        leanbe: a handle on its database. Actions only record; ``wait_until_idle`` waits until the
            server has delivered. Its clock is the server's, too.
    """

    url: str
    token: str | None = field(repr=False)
    leanbe: "Leanbe"

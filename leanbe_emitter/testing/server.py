"""Server of a test, as the fixture ``leanbe_server`` returns it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server in a process of its own: empty before the test, and with a worker that delivers.

    Attributes:
        url: the server's URL; the API is below it at ``/api/v1``.
        token: the token that clients must send; None: no token is needed.
        leanbe: a handle on the server's database and its clock. Its actions only record;
            ``wait_until_idle`` waits until the server has delivered.
    """

    url: str
    token: str | None = field(repr=False)
    leanbe: "Leanbe"

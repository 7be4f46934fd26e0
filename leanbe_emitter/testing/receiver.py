"""Receiver of a suite: it is declared once, and every product of the suite sends to it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from leanbe_emitter.errors import InvalidValue

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, Product


@dataclass(frozen=True)
class Receiver:
    """A receiver, with the path of its webhook and its secret.

    Attributes:
        app: an ASGI or WSGI app, a framework's test client, a function of one argument (a
            ``ReceivedRequest``), or a URL.
        path: the path of the webhook in the app; a URL may contain its path itself.
        secret: the secret with which the receiver verifies; None: Leanbe generates one.
        probe: whether the receiver is asked which mistake it makes, when an assertion fails after
            it refused an event because of the signature. It gets up to some hundred requests, and
            may act on those that it accepts. None: only a receiver in this process is asked.
    """

    app: Any
    path: str = field(default="/", kw_only=True)
    secret: str | None = field(default=None, kw_only=True, repr=False)
    probe: bool | None = field(default=None, kw_only=True)

    @property
    def url(self) -> str:
        """The URL of a receiver that is reached over the network.

        Raises:
            InvalidValue: the URL and ``path`` both have a path.
        """
        return _joined(str(self.app), self.path)

    def product(self, leanbe: "Leanbe", name: str = "Acme") -> "Product":
        """Create a product whose events go to this receiver.

        Raises:
            Conflict: a product has this name already.
            InvalidTarget: the rules for targets forbid the URL.
            InvalidValue: the app is not a receiver, or the URL and ``path`` both have a path.
        """
        if isinstance(self.app, str):
            url = _joined(self.app, self.path)
            return leanbe.products.create(name, webhook_url=url, secret=self.secret)
        return leanbe.products.create(name, webhook=self.app, path=self.path, secret=self.secret)

    def product_there(self, leanbe: "Leanbe") -> "Product":
        """Return the product whose events go to this receiver; create one if there is none.

        Raises:
            Conflict: the product has another secret.
            InvalidTarget: the rules for targets forbid the URL.
            InvalidValue: several products send to this receiver, the app is not a receiver, or the
                URL and ``path`` both have a path.
        """
        if isinstance(self.app, str):
            return leanbe.products.at(_joined(self.app, self.path), secret=self.secret)
        return leanbe.products.at(self.app, path=self.path, secret=self.secret)


def _joined(url: str, path: str) -> str:
    if path == "/":
        return url
    if urlsplit(url).path not in {"", "/"}:
        raise InvalidValue(
            f"The URL contains a path, and path={path!r} gives another one.",
            hint="Use one of them: Receiver('http://127.0.0.1:8000', path='/hooks/leanbe').",
        )
    return url.rstrip("/") + path

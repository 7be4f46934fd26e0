"""What receives in a test: told once, and every product of the suite is wired to it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from leanbe_emitter.errors import InvalidValue

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, Product


@dataclass(frozen=True)
class Receiver:
    """What receives, where in it the webhook is, and the secret that it verifies with.

    Attributes:
        app: an ASGI or WSGI app, a framework's test client, a function of one argument (a
            ``ReceivedRequest``), or a URL.
        path: where in it the webhook is; a URL may hold its path itself.
        secret: what the receiver verifies with; None: one is generated.
    """

    app: Any
    path: str = field(default="/", kw_only=True)
    secret: str | None = field(default=None, kw_only=True, repr=False)

    def product(self, leanbe: "Leanbe", name: str = "Acme") -> "Product":
        """Make a product whose events go to this receiver.

        Raises:
            Conflict: there is a product of that name.
            InvalidTarget: the URL must not be called.
            InvalidValue: it is no receiver, or has two paths.
        """
        if isinstance(self.app, str):
            url = _joined(self.app, self.path)
            return leanbe.products.create(name, webhook_url=url, secret=self.secret)
        return leanbe.products.create(name, webhook=self.app, path=self.path, secret=self.secret)

    def product_there(self, leanbe: "Leanbe") -> "Product":
        """Return the product whose events go to this receiver; make one if there is none.

        Raises:
            Conflict: it has another secret.
            InvalidTarget: the URL must not be called.
            InvalidValue: there are several, or it is no receiver, or has two paths.
        """
        if isinstance(self.app, str):
            return leanbe.products.at(_joined(self.app, self.path), secret=self.secret)
        return leanbe.products.at(self.app, path=self.path, secret=self.secret)


def _joined(url: str, path: str) -> str:
    if path == "/":
        return url
    if urlsplit(url).path not in {"", "/"}:
        raise InvalidValue(
            f"The URL has a path of its own, and the path {path!r} was given, too.",
            hint="Give one of them: Receiver('http://127.0.0.1:8000', path='/hooks/leanbe').",
        )
    return url.rstrip("/") + path

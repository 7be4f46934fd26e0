"""Access: which requests the server answers, and the security headers of every answer.

On loopback, every process of this machine may use the server, but no web page may use it through
somebody's browser. Two headers give such a page away: ``Host`` has the name that the browser was
sent to (DNS rebinding), and ``Origin`` has the page (cross-site requests). Beyond loopback, a
client needs a token.
"""

import hmac
from asyncio import CancelledError
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.host_syntax import is_address, is_loopback
from leanbe_emitter.server.http.problems import (
    Forbidden,
    NoSuchPath,
    NotReady,
    Unauthorized,
    problem,
    unforeseen,
)

#: Paths of health checks: they need no token, and their answers show no data.
HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz"})
#: The sites of requests by the server's own page, by users, and by programs that are no browsers.
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_SECURITY_HEADERS: Final = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """Rules for requests.

    Attributes:
        token: the token that clients need; empty: none.
        hosts: further host names of the server, such as a proxy's; their pages may use the server.
        any_host: whether every host name is allowed: a page of another site has no token.
        any_address: whether every address is allowed as a host: only names can be rebound.
    """

    token: str = field(default="", repr=False)
    hosts: frozenset[str] = frozenset()
    any_host: bool = False
    any_address: bool = False

    def check(self, headers: Mapping[str, str], *, is_open: bool) -> None:
        """Check a request's headers.

        Args:
            headers: of the request.
            is_open: whether the path is open to all: it needs no token, and links may lead to it.

        Raises:
            Forbidden: another web page made a browser send the request.
            Unauthorized: the token is missing or wrong.
        """
        host = headers.get("host", "")
        if not (self.any_host or self._is_own_host(host)):
            raise Forbidden(
                f"This server does not answer to the name {host!r}.",
                hint=_hint_for_host(_name_of(f"//{host}")),
            )
        origin = headers.get("origin")
        if origin is not None and not self._is_own_page(origin, host):
            raise Forbidden(
                f"Pages of {origin!r} may not use this server.",
                hint=_hint_for_page(_name_of(origin)),
            )
        site = headers.get("sec-fetch-site", "none")
        if not is_open and site not in _OWN_SITES:
            raise Forbidden(
                f"A browser sent the request for a page of another site (Sec-Fetch-Site: {site}).",
                hint=_hint_for_page(""),
            )
        if not is_open and self.token and not self._has_token(headers):
            raise Unauthorized

    def _is_own_host(self, host: str) -> bool:
        name = _name_of(f"//{host}")
        return (
            _is_of_this_machine(host)
            or name in self.hosts
            or (self.any_address and is_address(name))
        )

    def _is_own_page(self, origin: str, host: str) -> bool:
        is_same = origin.lower() in {f"http://{host.lower()}", f"https://{host.lower()}"}
        return is_same or _name_of(origin) in self.hosts

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(token.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and is_right


@lru_cache(maxsize=256)
def _is_of_this_machine(host: str) -> bool:
    name = _name_of(f"//{host}")
    return is_loopback(name) or name.endswith(".localhost")


def _name_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _hint_for_host(name: str) -> str:
    if not name:
        return "Use a name of this machine, such as 127.0.0.1."
    return f"To allow the name, start the server with --allowed-host {name}."


def _hint_for_page(name: str) -> str:
    """Return what to do instead: the server sends no CORS headers to other pages."""
    advice = (
        "Browsers show its answers to its own page alone. Call the API from the suite's own "
        "process, or let the page's server forward the requests"
    )
    if not name:
        return f"{advice}."
    return f"{advice}; if that changes Host, start this server with --allowed-host {name}."


class AccessMiddleware:
    """Checks each request by ``Access``, adds the security headers, and answers all errors.

    Args:
        app: the application behind it.
        access: the rules.
        open_paths: paths that need no token.
    """

    def __init__(self, app: ASGIApp, *, access: Access, open_paths: frozenset[str]) -> None:
        self._app = app
        self._access = access
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def send_secured(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                # A header that the application sets itself stays.
                present = {name for name, _ in message["headers"]}
                message["headers"] += [
                    each for each in _SECURITY_HEADERS.items() if each[0] not in present
                ]
            await send(message)

        try:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            self._access.check(Headers(scope=scope), is_open=path in self._open_paths)
            _require_plain_path(scope.get("raw_path") or b"")
            await self._app(scope, receive, send_secured)
        except LeanbeError as error:
            await problem(error)(scope, receive, send_secured)
        except ClientDisconnect:
            pass  # nobody reads an answer
        except CancelledError:
            # Only a stop of the server cancels a request, when it has waited long enough for it.
            if has_begun:
                raise
            await problem(_cancelled())(scope, receive, send_secured)
        except Exception as error:
            if has_begun:
                raise
            response = unforeseen(error, method=scope["method"], path=scope["path"])
            await response(scope, receive, send_secured)


def _require_plain_path(raw_path: bytes) -> None:
    """Refuse a path with an encoded slash: routes would read one part as two.

    Raises:
        NoSuchPath: the path has one.
    """
    if b"%2f" in raw_path.lower():
        raise NoSuchPath(
            f"A part of {raw_path.decode('latin-1')} has a slash in it.",
            hint="Use the id instead of a name with a slash.",
        )


def _cancelled() -> NotReady:
    return NotReady(
        "The server stops before the request is done, and may have carried it out.",
        hint="Check whether it was done before you send it to the next server.",
    )

"""Who may use the server, and what every answer tells browsers.

On loopback anybody on this machine may, but no page of the web through somebody's browser: it is
found out by the name that the server was asked for (``Host``: DNS rebinding) and by the page that
asks (``Origin``: cross-site requests). Beyond loopback a token says who may.
"""

import hmac
from asyncio import CancelledError
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.hosts import is_loopback
from leanbe_emitter.server.http.problems import (
    Forbidden,
    NotReady,
    Unauthorized,
    problem,
    require_plain_path,
    unforeseen,
)
from leanbe_emitter.server.openapi import page

#: What a health check asks, and a page's files: neither knows a token, and the answers tell nothing
#: of what is kept.
OPEN: Final = frozenset({"/healthz", "/readyz"}) | page.OPEN
_SECURITY_HEADERS: Final = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may use the server.

    Attributes:
        token: what callers have to show; empty: nothing.
        hosts: further names that the server may be asked for by: where a proxy has it, whose pages
            act through that.
        any_host: whether it may be asked for by any name: others can reach it anyway.
    """

    token: str = field(default="", repr=False)
    hosts: frozenset[str] = frozenset()
    any_host: bool = False

    def check(self, path: str, headers: Mapping[str, str]) -> None:
        """Let a request through.

        Raises:
            Forbidden: a browser was led to send it.
            Unauthorized: the token is missing, or is another one.
        """
        host = headers.get("host", "")
        if not (self.any_host or self._is_ours(host)):
            raise Forbidden(
                f"This server is not asked for as {host!r}.",
                hint=_how_to_ask(_name_of(f"//{host}")),
            )
        origin = headers.get("origin")
        if origin is not None and not self._is_own_page(origin, host):
            raise Forbidden(
                f"Pages of {origin!r} may not use this server.",
                hint=_how_pages_ask(_name_of(origin)),
            )
        if self.token and path not in OPEN and not self._is_shown(headers):
            raise Unauthorized(
                "The token is missing, or is another one.",
                hint="Send it in a header: Authorization: Bearer TOKEN.",
            )

    def _is_ours(self, host: str) -> bool:
        return _is_of_this_machine(host) or _name_of(f"//{host}") in self.hosts

    def _is_own_page(self, origin: str, host: str) -> bool:
        is_same = origin.lower() in {f"http://{host.lower()}", f"https://{host.lower()}"}
        return is_same or _name_of(origin) in self.hosts

    def _is_shown(self, headers: Mapping[str, str]) -> bool:
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


def _how_to_ask(name: str) -> str:
    if not name:
        return "Ask by a name of this machine, such as 127.0.0.1."
    return f"If it is meant, start it with --allowed-host {name}."


def _how_pages_ask(name: str) -> str:
    """Return what to do instead: no answer of ours has what would show it to other pages (CORS)."""
    ways = (
        "Browsers show its answers to its own page alone. Ask from the suite's own process, or let "
        "the page's server pass its requests on"
    )
    if not name:
        return f"{ways}."
    return f"{ways}; if that changes Host, start this one with --allowed-host {name}."


class Guard:
    """Lets through what ``Access`` does, and adds to every answer what browsers are to keep to."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the app do so."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                # What the app says for itself is left.
                present = {name for name, _ in message["headers"]}
                message["headers"] += [
                    each for each in _SECURITY_HEADERS.items() if each[0] not in present
                ]
            await send(message)

        try:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            self._access.check(path, Headers(scope=scope))
            require_plain_path(scope.get("raw_path") or b"")
            await self._app(scope, receive, guarded)
        except LeanbeError as error:
            await problem(error)(scope, receive, guarded)
        except CancelledError:
            # By a stop, which has waited for it for long enough: it is asked for by nobody else.
            if has_begun:
                raise
            await problem(_broken_off())(scope, receive, guarded)
        except Exception as error:
            if has_begun:
                raise
            answer = unforeseen(error, method=scope["method"], path=scope["path"])
            await answer(scope, receive, guarded)


def _broken_off() -> NotReady:
    return NotReady(
        "The server stops, and does not know what becomes of this.",
        hint="See whether it was done before you ask the next one for it.",
    )

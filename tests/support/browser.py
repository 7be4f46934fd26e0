"""Chromium without a screen, and all that a page asks for and complains of in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.support.waiting import PATIENCE_SECONDS

Prefers = Literal["light", "dark"]
#: How long anything is waited for, in milliseconds.
PATIENCE_MS = PATIENCE_SECONDS * 1000
_OPTIONS = (
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine is ever looked for.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the machine's Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        yield browser
        browser.close()


class PageLog:
    """What a page did.

    Attributes:
        page: the page.
        requests: the method and the URL of each request that it made.
        complaints: what it wrote to the console and which of its errors nobody caught; what its
            policy forbids stands here, too.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests = list[tuple[str, str]]()
        self.complaints = list[str]()
        page.on("request", self._asked)
        page.on("console", self._wrote)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, request: Request) -> None:
        self.requests.append((request.method, request.url))

    def _wrote(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type}: {message.text}")


@contextmanager
def open_page(browser: Browser, url: str, *, prefers: Prefers = "light") -> Iterator[PageLog]:
    """Open a URL as somebody who was never there, until the block ends."""
    with browser.new_context(color_scheme=prefers) as context:
        context.set_default_timeout(PATIENCE_MS)
        seen = PageLog(context.new_page())
        seen.page.goto(url)
        yield seen

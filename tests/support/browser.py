"""Headless Chromium, with all requests and console messages of a page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.support.waiting import PATIENCE_SECONDS

Prefers = Literal["light", "dark"]
#: How long to wait for anything, in milliseconds.
PATIENCE_MS = PATIENCE_SECONDS * 1000
_OPTIONS = (
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The browser resolves no name of another machine.
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
    """A page, with its requests and its complaints.

    Attributes:
        page: the page.
        requests: method and URL of each request of the page.
        complaints: messages of the page's console, and errors that no code caught. A violation of
            the content policy is one of them.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests = list[tuple[str, str]]()
        self.complaints = list[str]()
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note_request(self, request: Request) -> None:
        self.requests.append((request.method, request.url))

    def _note_message(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type}: {message.text}")


@contextmanager
def open_page(
    browser: Browser, url: str, *, prepare: Callable[[Page], None] | None = None
) -> Iterator[PageLog]:
    """Open a URL in a fresh browser context until the block ends; prepare the page before."""
    with browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        seen = PageLog(context.new_page())
        if prepare is not None:
            prepare(seen.page)
        seen.page.goto(url)
        yield seen

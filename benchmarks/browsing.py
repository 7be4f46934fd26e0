"""The page in Chromium, and what its main thread had to do while it was looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Self

from playwright.sync_api import CDPSession, Page

from tests.support.browser import chromium

#: Notes long tasks, and for each key the time until the frame in which it is seen, in milliseconds.
_NOTES = """
  window.noted = { long: 0, frames: [] };
  new PerformanceObserver(list => {
    for (const each of list.getEntries()) noted.long += each.duration;
  }).observe({ type: "longtask" });
  addEventListener("keydown", event => requestAnimationFrame(() => setTimeout(() =>
    noted.frames.push(performance.now() - event.timeStamp))), true);
"""
#: How many deliveries the page knows.
_ROWS = """async () => {
  const { shown } = await import(new URL("ui/rows.js", document.baseURI));
  return shown.value.length;
}"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Work of the page's main thread.

    Attributes:
        long_seconds: tasks of more than 50 ms, together.
        busy_seconds: all tasks.
        key_ms: the median time from a key to the frame that shows what it did.
        rows: how many deliveries the page knows.
    """

    long_seconds: float
    busy_seconds: float
    key_ms: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class Browsing:
    """A page of deliveries that is open."""

    page: Page
    devtools: CDPSession

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> Iterator[Self]:
        """Open a server's page, and its newest delivery."""
        with chromium() as browser, browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(_NOTES)
            page.goto(url)
            page.locator(".pause .live").wait_for()
            page.locator(".row").first.click()
            page.locator(".detail h2").wait_for()
            devtools = context.new_cdp_session(page)
            devtools.send("Performance.enable")
            yield cls(page=page, devtools=devtools)

    def load(self, *, seconds: float, every_seconds: float) -> Load:
        """Press a key by turns for so long; return what the main thread did meanwhile."""
        self.page.evaluate("noted.long = 0, noted.frames = []")
        before = self._busy_seconds()
        for at in range(round(seconds / every_seconds)):
            self.page.keyboard.press("jk"[at % 2])
            self.page.wait_for_timeout(every_seconds * 1000)
        noted = self.page.evaluate("noted")
        return Load(
            long_seconds=noted["long"] / 1000,
            busy_seconds=self._busy_seconds() - before,
            key_ms=median(noted["frames"]),
            rows=self.page.evaluate(_ROWS),
        )

    def _busy_seconds(self) -> float:
        metrics = self.devtools.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

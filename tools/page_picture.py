"""Makes the picture of the page for README and docs: ``python -m tools.page_picture``.

A server with a receiver beside it gets a few events, of which two are refused by a fault. A browser
opens another one, and explains a wrong signature.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, ViewportSize, sync_playwright

PICTURE = Path(__file__).parent.parent / "docs" / "page.png"
SIZE: ViewportSize = {"width": 1200, "height": 680}
#: The largest picture that the repository takes, in bytes.
MOST_BYTES = 200_000


@contextmanager
def running_server() -> Iterator[str]:
    """Run a server with the seed file's product and a receiver; yield its URL."""
    options = ("--ephemeral", "--clock", "manual", "--port", "0", "--output", "json", "--quiet")
    seed = ("--seed-file", "examples/seed.yaml", "--receiver", "Globex", "--until-eof")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "leanbe_emitter", "serve", *options, *seed],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        line = process.stdout.readline() if process.stdout else b""
        try:
            yield json.loads(line)["url"]
        finally:
            process.terminate()


def post(api: httpx.Client, path: str, **body: Any) -> Any:
    """Send a request, and return its answer."""
    return api.post(path, json=body).raise_for_status().json()


def make_events(api: httpx.Client) -> dict[str, Any]:
    """Make events of many kinds, and return one delivery."""
    post(api, "/products/Globex/trigger", all=True)
    post(api, "/deliveries/wait")
    post(api, "/faults", kind="receiver_fails", how="status:503", times=2)
    post(api, "/products/Globex/trigger", events=["idea.upVoted", "okr.created"])
    post(api, "/products/Globex/trigger", events=["customer.created", "idea.created"])
    post(api, "/deliveries/wait")
    found = api.get("/deliveries", params={"event": "idea.created"}).json()
    newest: dict[str, Any] = found["items"][0]
    return newest


def show(page: Page, url: str, api: httpx.Client, delivery: dict[str, Any]) -> None:
    """Open a delivery, with a wrong signature explained."""
    identifier = delivery["_id"]
    usual = post(api, f"/deliveries/{identifier}/explain")["mistakes"]
    page.goto(f"{url}/#/deliveries/{identifier}")
    page.get_by_label("What your receiver computed").fill(usual[0]["signatures"][0])
    page.get_by_label("Language of your receiver").select_option("python")
    page.get_by_role("button", name="Explain").click()
    page.locator(".note").scroll_into_view_if_needed()


def main() -> None:
    """Make the picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with running_server() as url, httpx.Client(base_url=f"{url}/api/v1", timeout=60) as api:
        delivery = make_events(api)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium)
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            show(page, url, api, delivery)
            page.screenshot(path=PICTURE)
            browser.close()
    size = PICTURE.stat().st_size
    print(f"{PICTURE}: {size} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"It is larger than {MOST_BYTES} bytes.")


if __name__ == "__main__":
    main()

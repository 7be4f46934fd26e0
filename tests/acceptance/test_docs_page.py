"""The page of the API as people see it: in a browser, from a server of the installed package.

Tests with a server of their own take the checkout's, which starts sooner.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.browser import PageLog, Prefers, open_page
from tests.support.receiver_servers import nginx_proxy
from tests.support.server_process import RunningServer, run_installed, run_server

pytestmark = pytest.mark.browser
TOKEN = {"LEANBE_EMITTER_TOKEN": "tok_test"}
UNAUTHORIZED = "error: Failed to load resource: the server responded with a status of 401"


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[RunningServer]:
    with run_installed(site, "--ephemeral") as served:
        yield served


@pytest.fixture(scope="module")
def docs(browser: Browser, served: RunningServer) -> Iterator[PageLog]:
    """The page, for tests that leave it open: to load it takes seconds.

    It is opened by a link that names another document, which Swagger UI would show by itself.
    """
    other = other_document(served)
    with open_page(browser, f"{served.ready['url']}/docs?url={other}&configUrl={other}") as seen:
        yield seen


def other_document(served: RunningServer) -> str:
    """Return the URL of a document that is not the API's."""
    return f"{served.ready['url']}/healthz"


def operation(page: Page, name: str) -> Locator:
    """Return an operation, unfolded."""
    operation = page.locator(f"[id$='-{name}']")
    operation.locator(".opblock-summary-control").click()
    return operation


def shorten_document(page: Page) -> None:
    """Leave only the list of products in the server's document: to draw all of it takes seconds."""

    def answer(route: Route) -> None:
        whole = route.fetch()
        document = whole.json()
        if whole.ok:
            paths = document["paths"].items()
            document["paths"] = {path: each for path, each in paths if path.endswith("/products")}
            del document["webhooks"]
        route.fulfill(response=whole, json=document)

    page.route("**/openapi.json", answer)


def make_product(page: Page, name: str) -> None:
    """Make a product by the page, and see that it says so."""
    post = operation(page, "post_products")
    post.locator("textarea").fill(f'{{"name": "{name}"}}')
    post.get_by_role("button", name="Execute").click()
    expect(post.locator(".live-responses-table .response .response-col_status")).to_have_text("201")


def products_of(served: RunningServer) -> list[str]:
    return [each["name"] for each in served.client.get("/products").json()["items"]]


def test_it_shows_all_that_there_is_and_asks_nobody_else(
    docs: PageLog, served: RunningServer
) -> None:
    document = served.client.get(f"{served.ready['url']}/openapi.json").json()
    paths = [path for path, methods in document["paths"].items() for _ in methods]
    expect(docs.page.locator(".webhooks .opblock-summary-path")).to_have_text(EVENT_NAMES)
    shown = docs.page.locator(".operation-tag-content .opblock-summary-path")
    assert sorted(shown.all_inner_texts()) == sorted(paths)
    event = docs.page.locator(".webhooks .opblock").filter(has_text="idea.created")
    event.get_by_role("button").first.click()
    expect(event.get_by_role("tabpanel")).to_contain_text('"descriptionHTML"')
    assert docs.complaints == []
    # An operation that another test tries here is no request of the page's own.
    own = [url for _, url in docs.requests if "/api/v1/" not in url]
    assert len(own) == 6
    assert all(url.startswith(served.ready["url"]) for _, url in docs.requests)


def test_a_stream_is_shown_and_not_offered_to_be_tried(docs: PageLog) -> None:
    stream = operation(docs.page, "get_stream")
    expect(stream).to_contain_text("text/event-stream")
    expect(stream.get_by_role("button", name="Execute")).to_have_count(0)


def test_the_keyboard_is_enough_to_try_an_operation_which_is_carried_out(
    docs: PageLog, served: RunningServer
) -> None:
    page, keyboard = docs.page, docs.page.keyboard
    # The heading is drawn before the operations: a Tab in between would have less to pass.
    expect(page.get_by_text("List all products")).to_be_visible()
    # Another test may have left the focus elsewhere: the keys begin at the top, as on a new page.
    page.get_by_role("heading", level=1).click()
    focused = page.locator(":focus")
    for _ in range(5):  # the server, the filter, the part's link and button, the operation
        keyboard.press("Tab")
    expect(focused).to_contain_text("List all products")
    post = page.locator("[id$='-post_products']")
    tab_to(page, post.locator(".opblock-summary-control"))
    keyboard.press("Enter")
    tab_to(page, post.locator("textarea"))
    keyboard.press("Control+A")
    keyboard.type('{"name": "Tried"}')
    tab_to(page, post.get_by_role("button", name="Execute"))
    keyboard.press("Enter")
    expect(post.locator(".live-responses-table .response .response-col_status")).to_have_text("201")
    assert "Tried" in products_of(served)
    assert docs.complaints == []
    assert docs.requests[-1] == ("POST", f"{served.ready['url']}/api/v1/products")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    expect(target).to_be_visible()
    while not target.evaluate("element => element === document.activeElement"):
        page.keyboard.press("Tab")


@pytest.mark.parametrize(
    ("prefers", "ink"), [("light", "rgb(0, 0, 0)"), ("dark", "rgb(228, 230, 230)")]
)
def test_it_is_as_dark_as_its_reader_likes_it(docs: PageLog, prefers: Prefers, ink: str) -> None:
    docs.page.emulate_media(color_scheme=prefers)
    expect(docs.page.locator("body")).to_have_css("color", ink)


def test_a_link_cannot_have_it_show_another_document(docs: PageLog, served: RunningServer) -> None:
    assert other_document(served) in docs.page.url
    expect(docs.page.get_by_role("heading", level=1)).to_contain_text("leanbe-emitter")
    assert not [url for _, url in docs.requests if url == other_document(served)]


def test_it_asks_for_the_token_acts_with_it_and_says_so_when_the_server_is_gone(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        run_server(tmp_path, "--ephemeral", environ=TOKEN) as served,
        open_page(browser, f"{served.ready['url']}/docs", prepare=shorten_document) as seen,
        open_page(browser, f"{served.ready['url']}/docs") as late,
    ):
        token = seen.page.get_by_label("token")
        expect(token).to_be_focused()
        expect(seen.page.get_by_role("alert")).to_be_hidden()
        token.fill("tok_other")
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("alert")).to_contain_text("The token is missing or wrong.")
        token.fill(TOKEN["LEANBE_EMITTER_TOKEN"])
        seen.page.get_by_role("button", name="Show the API").click()
        make_product(seen.page, "Acme")
        expect(token).to_have_count(0)
        assert products_of(served) == ["Acme"]
        late.page.get_by_label("token").fill("tok_test")
        served.process.kill()
        served.process.wait()
        late.page.keyboard.press("Enter")
        expect(late.page.get_by_role("alert")).to_contain_text("The server does not answer")
    assert [each.startswith(UNAUTHORIZED) for each in seen.complaints] == [True, True]


@pytest.mark.nginx
def test_behind_a_proxy_it_is_under_the_proxys_path(browser: Browser, tmp_path: Path) -> None:
    with (
        run_server(tmp_path, "--ephemeral", "--root-path", "/leanbe") as served,
        nginx_proxy(tmp_path, path="/leanbe", to=served.ready["url"]) as url,
        open_page(browser, f"{url}/leanbe/docs", prepare=shorten_document) as seen,
    ):
        make_product(seen.page, "Acme")
        assert products_of(served) == ["Acme"]
    assert seen.complaints == []
    assert all(asked.startswith(f"{url}/leanbe/") for _, asked in seen.requests)

"""The page as people use it: in a browser, from a server of the installed package.

Tests with a server of their own take the checkout's, which starts sooner.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from leanbe_emitter.snippets import snippet
from tests.support.browser import Prefers, open_page
from tests.support.command_line import run_process
from tests.support.ports import free_port
from tests.support.receiver_process import SECRET, run_receiver
from tests.support.receiver_servers import nginx_proxy
from tests.support.server_process import RunningServer, run_installed, run_server

pytestmark = pytest.mark.browser
TOKEN = {"LEANBE_EMITTER_TOKEN": "tok_test"}
#: Most requests of the first load, and most rows in the document.
MOST_REQUESTS, MOST_ROWS = 25, 60
#: Texts that would run, load or break something if a page took them for more than text.
HOSTILE = (
    "<img src=//evil.example/x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    '"><svg onload=alert(1)>',
    "{{7*7}}${7*7}\u202eabc\u0000\U0001f600",
)


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_receiver(tmp_path_factory.mktemp("receiver")) as receiver:
        yield f"{receiver.url}hooks/leanbe"


@pytest.fixture(scope="module")
def served(site: Path, hook: str) -> Iterator[RunningServer]:
    with run_installed(site, "--ephemeral", "--clock", "manual") as served:
        make_product(served, "Globex", hook)
        yield served


def make_product(served: RunningServer, name: str, url: str) -> None:
    webhook = {"url": url, "secret": SECRET}
    made = served.client.post("/products", json={"name": name, "webhook": webhook})
    assert made.status_code == 201, made.text


def trigger(served: RunningServer, *events: str, product: str = "Globex", **more: Any) -> None:
    body = {"events": events, **more} if events else {"all": True, **more}
    made = served.client.post(f"/products/{product}/trigger?view=ids", json=body)
    assert made.status_code == 201, made.text
    served.client.post("/deliveries/wait")


def rows(page: Page) -> Locator:
    return page.locator(".row")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("No Tab leads there.")


def test_the_first_minute_leads_by_keyboard_from_nothing_to_a_retried_delivery(
    browser: Browser, tmp_path: Path, hook: str
) -> None:
    with run_server(tmp_path, "--ephemeral", "--clock", "manual") as served:
        make_product(served, "Globex", hook)
        with open_page(browser, served.ready["url"]) as seen:
            page = seen.page
            card = page.get_by_role("region", name="The first minute")
            expect(card).to_contain_text(hook)
            assert len(seen.requests) <= MOST_REQUESTS

            def press(name: str) -> None:
                button = card.get_by_role("button", name=name)
                expect(button).to_be_enabled()
                tab_to(page, button)
                page.keyboard.press("Enter")

            detail = page.get_by_role("region", name="Delivery")
            page.keyboard.press("Tab")
            expect(page.get_by_role("button", name="Skip to the content")).to_be_focused()
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            expect(page.get_by_label("Filter deliveries")).to_be_focused()
            press("Vote for")
            expect(detail.locator("h2")).to_have_text("idea.upVoted")
            expect(detail.locator(".attempts")).to_contain_text("delivered 204")
            press("Show the signature")
            expect(detail.locator(".verdict")).to_contain_text("It verifies")
            press("Make it fail, and vote")
            expect(detail.locator(".attempts")).to_contain_text("refused 503")
            for attempt in ("refused 503", "delivered 204"):
                press("Advance to the next retry")
                expect(detail.locator(".attempts li").last).to_contain_text(
                    "due at" if attempt == "refused 503" else attempt
                )
                if attempt == "refused 503":
                    expect(card.get_by_role("button", name="Advance")).to_be_focused()
            expect(card).to_contain_text("raised, signed, refused, retried, delivered")
            # Its button is gone: the next Tab goes on from the content, not from the page's top.
            expect(page.locator("#content")).to_be_focused()
            expect(rows(page).first).to_contain_text("delivered, 3 attempts")
            press("Put the first minute away")
            expect(card).to_have_count(0)
    assert seen.complaints == []
    assert all(url.startswith(served.ready["url"]) for _, url in seen.requests)


def test_the_list_is_filtered_followed_and_left_by_keys(
    browser: Browser, served: RunningServer
) -> None:
    trigger(served)
    with open_page(browser, f"{served.ready['url']}/#/deliveries") as seen:
        page, keyboard = seen.page, seen.page.keyboard
        expect(rows(page).first).to_be_visible()
        keyboard.press("/")
        # At once: the server refuses a filter whose last word is not complete.
        keyboard.insert_text("event:idea.* status:delivered")
        expect(rows(page).locator(".name", has_not_text="idea.")).to_have_count(0)
        expect(page).to_have_url(re.compile("q=event"))
        page.get_by_label("Filter deliveries").fill("nothing at all")
        page.get_by_role("button", name="Clear the filter").click()
        keyboard.press("Escape")
        keyboard.press("j")
        keyboard.press("j")
        keyboard.press("Enter")
        detail = page.get_by_role("region", name="Delivery")
        second = rows(page).nth(1).locator(".name a").inner_text()
        expect(detail.locator("h2")).to_have_text(second)
        keyboard.press("k")
        expect(page.locator(".row.chosen .name a")).to_have_text(
            rows(page).first.locator(".name a").inner_text()
        )
        keyboard.press("Escape")
        expect(detail).to_have_count(0)
        expect(page.locator("#list")).to_be_focused()
        keyboard.press("p")
        before = rows(page).first.get_attribute("id")
        trigger(served, "okr.created")
        expect(page.get_by_role("button", name=re.compile("Paused, 1 held"))).to_be_visible()
        assert rows(page).first.get_attribute("id") == before
        keyboard.press("p")
        expect(rows(page).first).to_contain_text("okr.created")
        keyboard.press("f")
        trigger(served, "customer.created")
        expect(detail.locator("h2")).to_have_text("customer.created")
        keyboard.press("r")
        expect(detail.locator(".facts")).to_contain_text("A redelivery of")
        keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        keyboard.press("Escape")
        page.go_back()
        expect(detail).to_have_count(0)
        expect(page.get_by_label("Filter deliveries")).to_be_visible()
    assert seen.complaints == []


def test_a_wrong_signature_is_explained_with_the_line_that_mends_it(
    browser: Browser, served: RunningServer, hook: str
) -> None:
    trigger(served, "idea.created")
    newest = served.client.get("/deliveries?limit=1").json()["items"][0]["_id"]
    usual = served.client.post(f"/deliveries/{newest}/explain", json={}).json()["mistakes"]
    raw = next(each for each in usual if "raw body" in each["what"])
    with open_page(browser, f"{served.ready['url']}/#/deliveries/{newest}") as seen:
        page = seen.page
        page.get_by_label("What your receiver computed").fill(raw["signatures"][0])
        page.get_by_role("button", name="Explain").click()
        expect(page.locator(".note")).to_contain_text("You hash the raw body")
        page.get_by_label("Language of your receiver").select_option("go")
        expect(page.locator(".note")).to_contain_text("In Go")
        page.get_by_role("button", name="Find my mistake…").click()
        page.get_by_role("dialog").get_by_role("button", name="Find my mistake").click()
        expect(page.locator(".note")).to_contain_text(re.compile(r"probe sent \d+ requests?"))
        page.get_by_role("button", name="Reveal").click()
        expect(page.locator(".secret code")).to_have_text(SECRET)
        assert SECRET not in page.url + page.title()
        other = {"name": "Refused", "webhook": {"url": hook, "secret": "whsec_other"}}
        served.client.post("/products", json=other)
        trigger(served, "idea.created", product="Refused")
        refused = served.client.get("/deliveries?limit=1").json()["items"][0]["_id"]
        page.goto(f"{served.ready['url']}/#/deliveries/{refused}")
        expect(page.locator(".verdict")).to_contain_text("The signature that was sent is right")
        expect(page.locator(".verdict ~ .note")).to_contain_text("answered 401 all the same")
    assert seen.complaints == []


def test_a_composed_event_is_sent_byte_for_byte(browser: Browser, served: RunningServer) -> None:
    odd = '{"2": 1.0, "1": 12345678901234567890, "title": "<b>\\u2028"}'
    with open_page(browser, f"{served.ready['url']}/#/compose/idea.created") as seen:
        page = seen.page
        title = page.locator("[id='.title']")
        expect(title).not_to_have_value("")
        title.fill("Composed")
        body = page.get_by_role("group", name="Body of the request", exact=True)
        expect(body).to_contain_text('"Composed"')
        signature = page.get_by_role("group", name="The signature", exact=True).inner_text()
        title.blur()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("region", name="Delivery").locator("h2")).to_have_text(
            "idea.created"
        )
        sent = served.client.get("/deliveries?limit=1").json()["items"][0]
        assert sent["event"]["payload"]["title"] == "Composed"
        expect(page.get_by_role("group", name="The signature", exact=True)).to_have_text(signature)
        page.keyboard.press("e")
        expect(page.locator("[id='.title']")).to_have_value("Composed")
        page.get_by_role("button", name="JSON").click()
        page.get_by_label("Payload as JSON").fill(odd)
        expect(page.locator(".note")).to_contain_text("Off the schema, and sent all the same")
        page.get_by_role("button", name="Form").click()
        expect(page.locator(".compose")).to_contain_text("A form would change")
        page.get_by_role("button", name=re.compile("^Send")).click()
        expect(page.get_by_role("region", name="Delivery").locator("h2")).to_have_text(
            "idea.created"
        )
        expect(page.get_by_role("group", name="The signed text")).to_contain_text('"1"')
    assert [each for each in seen.complaints if "422" not in each] == []


def test_webhook_faults_and_clock_are_acted_on(browser: Browser, served: RunningServer) -> None:
    with open_page(browser, f"{served.ready['url']}/#/webhook") as seen:
        page = seen.page
        page.get_by_role("button", name="Check it").click()
        expect(page.get_by_text("No mistake found.")).to_be_visible()
        for secret in ("", SECRET):
            page.get_by_role("button", name="Rotate").click()
            page.get_by_label("The secret of your receiver").fill(secret)
            page.get_by_role("dialog").get_by_role("button", name="Make a new secret").click()
            expect(page.get_by_role("dialog")).to_have_count(0)
            now = served.client.get("/products/Globex/webhook/secret").json()["secret"]
            assert (now == SECRET) == (secret == SECRET)
            expect(page.get_by_role("button", name="Rotate")).to_be_focused()
        page.get_by_label("A correct one to start from").select_option("php")
        receiver = page.get_by_role("group", name="A receiver", exact=True)
        expect(receiver).to_have_text(snippet("php"))
        page.get_by_role("button", name="Send a test").click()
        detail = page.get_by_role("region", name="Delivery")
        expect(detail.locator("h2")).to_have_text("customer.created")
        page.get_by_role("link", name="Faults").click()
        page.get_by_label("How often").fill("2")
        page.get_by_role("button", name="Arm", exact=True).click()
        expect(page.locator(".table")).to_contain_text("0 of 2")
        trigger(served, "idea.created")
        expect(page.locator(".table")).to_contain_text("1 of 2")
        page.get_by_role("button", name="Remove all").click()
        expect(page.locator(".column")).to_contain_text("No fault is armed")
        page.get_by_role("link", name="Clock", exact=True).click()
        page.get_by_role("button", name="To the next retry").click()
        # Retries of other tests may fall due at the same time.
        expect(page.locator(".column")).to_contain_text(re.compile("[0-9]+ attempts? made"))
        retried = page.get_by_role("row", name=re.compile("idea.created attempt 2 delivered 204"))
        expect(retried).to_have_count(1)
    assert seen.complaints == []


def test_hostile_texts_are_texts(browser: Browser, served: RunningServer) -> None:
    for text in HOSTILE:
        trigger(served, "idea.created", set={"title": text, "description": text})
    with open_page(browser, f"{served.ready['url']}/#/deliveries") as seen:
        page = seen.page
        page.on("dialog", lambda _: seen.complaints.append("a dialog"))
        for text in reversed(HOSTILE):
            row = rows(page).nth(len(HOSTILE) - 1 - HOSTILE.index(text))
            row.click()
            tree = page.get_by_role("group", name="Body of the request", exact=True)
            expect(tree).to_contain_text(json.dumps(text, ensure_ascii=False))
        assert page.locator("img, script:not([type]), iframe").count() == 0
    assert seen.complaints == []
    assert all(url.startswith(served.ready["url"]) for _, url in seen.requests)


def test_the_token_is_asked_for_used_and_kept_out_of_the_address(
    browser: Browser, tmp_path: Path
) -> None:
    with run_server(tmp_path, "--ephemeral", environ=TOKEN) as served:
        with open_page(browser, served.ready["url"]) as seen:
            token = seen.page.get_by_label("The server's token")
            token.fill("tok_other")
            seen.page.keyboard.press("Enter")
            expect(seen.page.get_by_role("alert")).to_contain_text("does not know this token")
            token.fill("tok_test")
            seen.page.keyboard.press("Enter")
            expect(seen.page.locator(".empty h2")).to_have_text("There is no product yet")
        with open_page(browser, f"{served.ready['url']}/#token=tok_test") as linked:
            expect(linked.page.locator(".empty h2")).to_have_text("There is no product yet")
            assert "tok_test" not in linked.page.url
            linked.page.reload()
            expect(linked.page.locator(".empty h2")).to_have_text("There is no product yet")
    assert linked.complaints == []


def test_a_server_that_was_away_loses_no_row_and_doubles_none(
    browser: Browser, hook: str, tmp_path: Path
) -> None:
    db = ("--db", f"sqlite:///{tmp_path}/test.db")
    place = ("--port", str(free_port()), *db)
    with run_server(tmp_path, *place) as served:
        make_product(served, "Globex", hook)
        trigger(served, "idea.created", "okr.created")
        with open_page(browser, served.ready["url"]) as seen:
            page = seen.page
            expect(rows(page)).to_have_count(2)
            served.process.kill()
            served.process.wait()
            expect(page.get_by_role("button", name=re.compile("Reconnecting"))).to_be_visible()
            recorded = run_process("trigger", "idea.updated", "--no-deliver", *db, cwd=tmp_path)
            assert recorded.status == 0, recorded.stderr
            with run_server(tmp_path, *place) as again:
                trigger(again, "customer.created")
                expect(rows(page)).to_have_count(4)
                expect(page.get_by_role("button", name=re.compile("Live"))).to_be_visible()
                shown = [each.get_attribute("id") for each in rows(page).all()]
                items = again.client.get("/deliveries?view=rows").json()["items"]
                assert shown == [f"row-{each['_id']}" for each in items]
                again.client.post("/reset", json={})
                expect(rows(page)).to_have_count(0)


@pytest.mark.nginx
def test_behind_a_proxy_it_is_under_the_proxys_path(
    browser: Browser, hook: str, tmp_path: Path
) -> None:
    with (
        run_server(tmp_path, "--ephemeral", "--root-path", "/leanbe") as served,
        nginx_proxy(tmp_path, path="/leanbe", to=served.ready["url"]) as url,
    ):
        make_product(served, "Globex", hook)
        with open_page(browser, f"{url}/leanbe/") as seen:
            trigger(served, "idea.created")
            expect(rows(seen.page)).to_have_count(1)
            rows(seen.page).click()
            expect(seen.page.locator(".verdict")).to_contain_text("It verifies")
    assert seen.complaints == []
    assert all(asked.startswith(f"{url}/leanbe/") for _, asked in seen.requests)


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.prove)])
def test_a_long_list_has_few_rows_in_the_document_and_keeps_its_place(
    browser: Browser, tmp_path: Path, count: int
) -> None:
    with run_server(tmp_path, "--ephemeral", "--workers-off") as served:
        make_product(served, "Globex", "http://127.0.0.1:9/")
        for _ in range(count // 1000):
            trigger_many(served, 1000)
        with open_page(browser, served.ready["url"]) as seen:
            page = seen.page
            expect(page.get_by_role("button", name="All")).to_contain_text(f"{count:,}")
            box = page.locator("#list")
            while box.evaluate("e => e.scrollHeight") < count * 36:
                box.evaluate("e => { e.scrollTop = e.scrollHeight }")
                page.wait_for_timeout(50)  # the next page is under way
            assert rows(page).count() <= MOST_ROWS
            box.evaluate("e => { e.scrollTop = 10_000 }")
            row = page.locator(".row", has_text="").nth(20)
            expect(row).to_be_in_viewport()  # those of the former place are gone
            identifier, top = row.get_attribute("id"), row.bounding_box()
            trigger_many(served, 10)
            expect(page.get_by_role("button", name="10 newer")).to_be_visible()
            assert page.locator(f"[id='{identifier}']").bounding_box() == top
    assert seen.complaints == []


def trigger_many(served: RunningServer, count: int, product: str = "Globex") -> None:
    body = {"events": ["idea.upVoted"] * (count // 10), "times": 10}
    made = served.client.post(f"/products/{product}/trigger?view=ids", json=body)
    assert made.status_code == 201, made.text


#: Ids and states of the rows that fit the filter, in view or not.
SHOWN = """async () => {
  const { rowOf, shown } = await import(new URL("ui/rows.js", document.baseURI));
  return shown.value.map(id => [id, rowOf(id).status]);
}"""


def hide(page: Page, *, is_hidden: bool) -> None:
    """Tell the page that its tab is hidden or shown: a headless browser hides none."""
    page.evaluate(
        """isHidden => {
          Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def newest_rows(served: RunningServer, product: str) -> list[list[str]]:
    path = f"/deliveries?view=rows&limit=500&product={product}"
    items = served.client.get(path).json()["items"]
    return [[each["_id"], each["status"]] for each in items]


def test_a_hidden_tab_has_no_stream_and_goes_on_where_it_was_or_reads_anew(
    browser: Browser, served: RunningServer, hook: str
) -> None:
    product, count = "Hidden", 250  # more than a page of the list
    make_product(served, product, hook)
    trigger(served, "idea.created", product=product)
    with open_page(browser, f"{served.ready['url']}/#/deliveries?product={product}") as seen:
        page = seen.page

        def asked_for(path: str) -> list[str]:
            return [url for _, url in seen.requests if path in url]

        expect(rows(page)).to_have_count(1)
        expect(page.get_by_role("button", name=re.compile("Live"))).to_be_visible()
        lists = len(asked_for("/deliveries?"))
        with page.expect_event("requestfailed", lambda request: "/stream?" in request.url):
            hide(page, is_hidden=True)
        trigger(served, "okr.created", product=product)
        assert len(asked_for("/stream?")) == 1
        hide(page, is_hidden=False)
        expect(rows(page)).to_have_count(2)
        assert len(asked_for("/deliveries?")) == lists
        hide(page, is_hidden=True)
        trigger_many(served, count, product=product)
        served.client.post("/deliveries/wait")
        hide(page, is_hidden=False)
        right = newest_rows(served, product)
        with page.expect_response(lambda answer: "/deliveries?" in answer.url):
            pass
        expect(page.get_by_role("button", name="All")).to_contain_text(f"{count + 2:,}")
        shown = page.evaluate(SHOWN)
        assert len(shown) >= 200
        assert shown == right[: len(shown)]
    assert seen.complaints == []


def test_two_tabs_show_the_same_until_their_product_is_deleted_elsewhere(
    browser: Browser, served: RunningServer, hook: str
) -> None:
    make_product(served, "Initech", hook)
    address = f"{served.ready['url']}/#/deliveries?product=Initech"
    with open_page(browser, address) as seen:
        tabs = (seen.page, seen.page.context.new_page())
        tabs[1].goto(address)
        for tab in tabs:
            expect(tab.get_by_role("button", name=re.compile("Live"))).to_be_visible()
        trigger(served, "idea.created", "okr.created", "idea.updated", product="Initech")
        for tab in tabs:
            expect(rows(tab)).to_have_count(3)
        for key in ("j", "Enter"):
            tabs[0].keyboard.press(key)
        expect(tabs[0].get_by_role("region", name="Delivery").locator("h2")).to_be_visible()
        tabs[0].keyboard.press("r")
        for tab in tabs:
            expect(rows(tab)).to_have_count(4)
        served.client.post("/deliveries/wait")
        for tab in tabs:
            expect(rows(tab).first).not_to_contain_text(re.compile("pending$"))
            assert tab.evaluate(SHOWN) == newest_rows(served, "Initech")
        assert served.client.delete("/products/Initech").status_code == 204
        for tab in tabs:
            expect(tab.locator(".side-list")).to_contain_text("Show all deliveries")
            expect(rows(tab)).to_have_count(0)
        tabs[1].get_by_role("link", name="Show all deliveries").click()
        expect(tabs[1].get_by_role("button", name="Reconnecting")).to_have_count(0)
        expect(tabs[1].locator(".side-list")).not_to_contain_text("Show all deliveries")
        expect(tabs[0].get_by_role("button", name="Not live")).to_be_visible()


def test_a_list_that_begins_with_a_wrong_filter_is_live_once_that_is_cleared(
    browser: Browser, served: RunningServer
) -> None:
    trigger(served, "idea.created")
    with open_page(browser, f"{served.ready['url']}/#/deliveries?q=answer:nine") as seen:
        page = seen.page
        expect(page.get_by_role("alert")).to_contain_text("'nine' is no answer")
        expect(page.get_by_role("button", name="Not live")).to_be_visible()
        page.get_by_role("button", name="Clear the filter").click()
        expect(page.get_by_role("button", name=re.compile("^Live"))).to_be_visible()
        expect(rows(page).first).to_be_visible()


PAGES = ("deliveries", "deliveries/ID", "compose", "webhook", "faults", "clock")


#: The rules of each theme: all, and those about colours, as nothing else differs in the dark.
_THEMES: Final[Mapping[Prefers, Mapping[str, Any]]] = {
    "light": {},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_has_a_barrier_or_scrolls_sideways(
    browser: Browser, served: RunningServer, width: int
) -> None:
    trigger(served, "idea.created", "okr.created")
    newest = served.client.get("/deliveries?limit=1").json()["items"][0]["_id"]
    found: dict[str, Any] = {}
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        for path in PAGES:
            page.goto(f"{served.ready['url']}/#/{path.replace('ID', newest)}")
            expect(page.locator("main h1, .detail h2").first).to_be_attached()
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            for theme, rules in _THEMES.items():
                page.emulate_media(color_scheme=theme)
                result = Axe().run(page, options={"resultTypes": ["violations"], **rules})
                if result.violations_count:
                    found[f"{path} {theme}"] = result.generate_report()
    assert found == {}


def test_json_is_shown_as_its_text_has_it(browser: Browser, served: RunningServer) -> None:
    vectors = json.loads(Path("tests/data/stringify-vectors.json").read_text())
    texts = [each["stringified"] for each in vectors["vectors"]]
    with open_page(browser, f"{served.ready['url']}/#/webhook") as seen:
        read = """async texts => {
          const { readJson, textOf } = await import(new URL("ui/json.js", document.baseURI));
          return texts.map(text => textOf(readJson(text)));
        }"""
        assert seen.page.evaluate(read, texts) == texts

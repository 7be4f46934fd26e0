"""Access to the server, and its description of itself."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import leanbe_emitter
from leanbe_emitter import DatabaseUnavailable, Leanbe, Settings
from leanbe_emitter.host_syntax import parse_host
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import downgrade, upgrade
from tests.support.api_client import Api, open_api
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import ScriptedTransport
from tests.support.small_disks import full_disk, small_disk
from tests.support.waiting import PATIENCE_SECONDS, async_wait_until

EXPOSED = Access(token="tok_test", any_host=True)


@contextmanager
def open_guarded_api(access: Access) -> Iterator[Api]:
    with open_api(access=access) as api:
        yield api


@pytest.mark.parametrize(
    "host", ["127.0.0.1:5326", "localhost", "LOCALHOST:80", "[::1]:5326", "leanbe.localhost."]
)
def test_on_loopback_it_is_asked_for_by_names_of_this_machine(host: str) -> None:
    with open_guarded_api(Access()) as api:
        assert api("GET", "/products", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "[2001:db8::1]:80",
        "[",
        "localhost@evil.example:80",
        "",
    ],
)
def test_a_name_that_somebody_else_gave_this_machine_is_refused(host: str) -> None:
    with open_guarded_api(Access()) as api:
        answer = api("GET", "/products", headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "http://[", "file://"]
)
def test_a_page_of_somebody_else_may_not_act(origin: str) -> None:
    with open_guarded_api(Access()) as api:
        answer = api("POST", "/products", {"name": "Acme"}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert api.leanbe.products.list() == []


def test_a_page_that_is_refused_is_told_that_no_option_lets_it_read() -> None:
    with open_guarded_api(Access()) as api:
        told = api("GET", "/products", headers={"Origin": "http://localhost:3000"}).json()
    assert told["detail"] == "Pages of 'http://localhost:3000' may not use this server."
    assert told["hint"] == (
        "Browsers show its answers to its own page alone. Call the API from the suite's own "
        "process, or let the page's server forward the requests; if that changes Host, start this "
        "server with --allowed-host localhost."
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "Leanbe.example.:80"},
        {"Host": "[2001:db8::1]:80"},
        {"Origin": "http://leanbe.example:3000"},
    ],
)
def test_the_option_that_a_refusal_names_lets_through(headers: dict[str, str]) -> None:
    with open_guarded_api(Access()) as api:
        hint = api("GET", "/products", headers=headers).json()["hint"]
    host = hint.removesuffix(".").rpartition("--allowed-host ")[2]
    with open_guarded_api(Access(hosts=frozenset({parse_host(host)}))) as api:
        assert api("GET", "/products", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "["}, {"Origin": "null"}])
def test_a_request_without_a_host_gets_no_hint_about_allowed_hosts(headers: dict[str, str]) -> None:
    with open_guarded_api(Access()) as api:
        answer = api("GET", "/products", headers=headers)
    assert (answer.status_code, "--allowed-host" in answer.text) == (403, False)


def test_names_that_were_allowed_may_ask_and_their_pages_act() -> None:
    with open_guarded_api(Access(hosts=frozenset({"leanbe.example"}))) as api:
        for host in ("leanbe.example", "127.0.0.1:5326"):
            headers = {"Host": host, "Origin": "https://leanbe.example"}
            assert api("GET", "/products", headers=headers).status_code == 200


NAMES = {"192.0.2.7:5326": 200, "[2001:db8::1]": 200, "localhost": 200, "evil.example": 403}


@pytest.mark.parametrize(("host", "status"), NAMES.items())
def test_without_a_token_an_exposed_server_answers_to_addresses_and_not_to_names(
    host: str, status: int
) -> None:
    with open_guarded_api(Access(any_address=True)) as api:
        assert api("GET", "/products", headers={"Host": host}).status_code == status


SITES = {"same-origin": 200, "none": 200, "same-site": 403, "cross-site": 403, "odd": 403}


@pytest.mark.parametrize(("site", "status"), SITES.items())
def test_a_request_that_a_browser_sends_for_another_site_is_refused(site: str, status: int) -> None:
    with open_guarded_api(Access()) as api:
        headers = {"Sec-Fetch-Site": site}
        assert api("GET", "/products", headers=headers).status_code == status
        for path in ("/docs", "/healthz"):
            assert api.at("GET", path, headers=headers).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_its_own_page_may_act(scheme: str) -> None:
    with open_guarded_api(Access()) as api:
        headers = {"Host": "localhost:5326", "Origin": f"{scheme}://LOCALHOST:5326"}
        assert api("GET", "/products", headers=headers).status_code == 200


@pytest.mark.parametrize("shown", [None, "Bearer tok", "Basic tok_test", "Bearer", "tok_test", "ü"])
def test_without_the_token_nobody_is_let_in(shown: str | None) -> None:
    headers = {} if shown is None else {"Authorization": shown.encode()}
    with open_guarded_api(EXPOSED) as api:
        answer = api("GET", "/products", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert api.at("GET", "/openapi.json", headers=headers).status_code == 401


def test_with_the_token_anybody_is_and_health_is_told_without_it() -> None:
    with open_guarded_api(EXPOSED) as api:
        headers = {"Host": "leanbe.example", "Authorization": "Bearer tok_test"}
        assert api("GET", "/products", headers=headers).status_code == 200
        assert api.at("GET", "/healthz").json() == {"status": "ok"}
        assert api.at("GET", "/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/products", "/nowhere", "/openapi.json"])
def test_every_answer_tells_browsers_to_keep_away(path: str) -> None:
    with open_guarded_api(Access()) as api:
        headers = api.at("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"


def test_a_header_that_an_answer_repeats_stays_repeated() -> None:
    def linked(_: Request) -> Response:
        response = Response()
        for place in ("/first", "/second"):
            response.headers.append("Link", place)
        return response

    with open_guarded_api(Access()) as api:
        api.app.add_route("/linked", linked)
        assert api.at("GET", "/linked").headers.get_list("link") == ["/first", "/second"]


def test_an_error_of_ours_is_a_problem_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Request) -> Response:
        raise RuntimeError("whsec_test")

    with open_guarded_api(Access()) as api:
        api.app.router.routes.append(Route("/broken", broken))
        answer = api.at("GET", "/broken")
        assert (answer.status_code, answer.json()["code"]) == (500, "unforeseen")
        assert "whsec_test" not in answer.text
        assert "GET /broken" in answer.json()["detail"]
    assert "Traceback" in caplog.text


def test_it_tells_what_it_is_and_how_much_there_is() -> None:
    with open_guarded_api(Access()) as api:
        api("POST", "/products", {"name": "Acme"})
        told = api("GET", "/info").json()
    assert told["version"] == leanbe_emitter.__version__
    assert told["counts"]["products"] == 1
    assert told["counts"]["deliveries"] == dict.fromkeys(
        ("pending", "delivered", "exhausted", "cancelled"), 0
    )


def test_it_is_ready_where_its_database_is_as_this_program_has_it(empty_url: str) -> None:
    database = Database(empty_url)
    upgrade(database)
    with open_api(empty_url) as api:
        assert api.at("GET", "/readyz").json()["worker"] == "off"
        downgrade(database, "base")
        answer = api.at("GET", "/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_behind")
    database.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_add_what_it_will(path: str) -> None:
    with open_guarded_api(Access()) as api:
        assert api.at("GET", f"{path}?x=1&x=2").status_code == 200


@run_in_loop
async def test_a_request_that_a_stop_interrupts_gets_an_answer_that_says_so() -> None:
    async with Leanbe() as leanbe:
        app, has_begun = create_app(leanbe, settings=Settings(), access=Access()), asyncio.Event()

        async def endless(_request: Request) -> Response:
            has_begun.set()
            await asyncio.Event().wait()
            return Response()

        app.router.routes.append(Route("/endless", endless))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            asking = asyncio.create_task(client.get("/endless"))
            await has_begun.wait()
            asking.cancel()
            answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "The server stops" in answer.json()["detail"]


@run_in_loop
async def test_it_answers_that_it_is_there_though_all_its_threads_wait() -> None:
    limiter = current_default_thread_limiter()
    everybody = [object() for _ in range(int(limiter.total_tokens))]
    for each in everybody:
        limiter.acquire_on_behalf_of_nowait(each)
    async with Leanbe() as leanbe:
        app = create_app(leanbe, settings=Settings(), access=Access())
        transport = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            assert (await client.get("/healthz")).status_code == 200
    for each in everybody:
        limiter.release_on_behalf_of(each)


def test_it_is_not_ready_while_somebody_holds_its_file_for_long(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'leanbe.db'}?timeout=0.1"
    with open_api(url) as api, closing(Database(url)) as other:
        with other.transaction() as session:
            session.connection()
            answer = api.at("GET", "/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert "locked" in answer.json()["detail"]
        assert api.at("GET", "/readyz").status_code == 200


def test_it_is_not_ready_while_its_file_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "leanbe.db"
    with open_api(f"sqlite:///{file}") as api:
        api("POST", "/products", {"name": "Acme"})
        file.rename(tmp_path / "elsewhere.db")
        lost = api("POST", "/products/Acme/ideas", {"title": "Lost"})
        for answer in (lost, api.at("GET", "/readyz")):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert "was there and is gone" in answer.json()["detail"]
        (tmp_path / "elsewhere.db").rename(file)
        assert api.at("GET", "/readyz").status_code == 200


def test_it_is_not_ready_while_its_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path, megabytes=8), open_api(f"sqlite:///{tmp_path / 'leanbe.db'}") as api:
        assert api.at("GET", "/readyz").status_code == 200
        with full_disk(tmp_path):
            refused = api("POST", "/products", {"name": "Acme"})
            for answer in (refused, api.at("GET", "/readyz")):
                assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
                assert "disk is full" in answer.json()["detail"]
        assert api.at("GET", "/readyz").status_code == 200


@run_in_loop
async def test_it_is_not_ready_while_its_database_takes_nothing_of_the_worker_inside(
    tmp_path: Path,
) -> None:
    async with Leanbe(
        f"sqlite:///{tmp_path / 'leanbe.db'}", transport=ScriptedTransport()
    ) as leanbe:
        app = create_app(leanbe, settings=Settings(), access=Access())
        product = leanbe.products.create("Acme", webhook_url="http://127.0.0.1:9/hooks")
        transport = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
            leanbe.working(),
        ):
            _rename(leanbe, "attempts", "hidden")
            await asyncio.to_thread(product.ideas.create, title="Dark mode")
            await async_wait_until(
                lambda: leanbe.metrics().database_unavailable_total, "the worker has met it"
            )
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            _rename(leanbe, "hidden", "attempts")
            await asyncio.to_thread(leanbe.wait_until_idle, timeout_seconds=PATIENCE_SECONDS)
            await async_wait_until(
                lambda: _is_ready(leanbe), "the worker has heard of what others see"
            )
            assert (await client.get("/readyz")).status_code == 200


def _is_ready(leanbe: Leanbe) -> bool:
    try:
        leanbe.require_ready()
    except DatabaseUnavailable:
        return False
    return True


def _rename(leanbe: Leanbe, table: str, name: str) -> None:
    with leanbe._database.transaction() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


@run_in_loop
async def test_it_is_not_ready_when_the_worker_inside_has_failed() -> None:
    async def failing() -> None:
        raise RuntimeError("an error of ours")

    async with Leanbe() as leanbe:
        app = create_app(leanbe, settings=Settings(), access=Access())
        app.state.worker = asyncio.create_task(failing())
        await asyncio.wait([app.state.worker])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert app.state.worker.exception() is not None

"""Requests in the log: one line for each, with its id in all that was logged for it."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leanbe_emitter.server.http.access import Access
from leanbe_emitter.server.http.request_ids import RequestIdFilter
from tests.support.api_client import Api, open_api


@pytest.fixture
def api() -> Iterator[Api]:
    with open_api() as api:
        yield api


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.handler.addFilter(RequestIdFilter())
    caplog.set_level(logging.INFO, "leanbe_emitter")
    return caplog


def request_records(log: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    names = ("request", "method", "path", "status")
    return [
        {name: getattr(record, name, None) for name in names}
        for record in log.records
        if record.getMessage() == "A request was answered."
    ]


def test_the_callers_id_is_in_the_answer_and_in_the_log(
    api: Api, log: pytest.LogCaptureFixture
) -> None:
    answer = api("GET", "/products?limit=1", headers={"X-Request-Id": "test-7"})
    assert answer.headers["x-request-id"] == "test-7"
    assert request_records(log) == [
        {"request": "test-7", "method": "GET", "path": "/api/v1/products", "status": 422}
    ]


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, "a\tb"])
def test_a_request_without_an_id_that_is_fit_gets_one_of_its_own(
    api: Api, given: str | None
) -> None:
    headers = {} if given is None else {"X-Request-Id": given}
    ids = {api("GET", "/products", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert given not in ids


def test_one_that_is_not_let_in_has_its_line_too(log: pytest.LogCaptureFixture) -> None:
    with open_api(access=Access(token="tok_test")) as api:
        refused = api("GET", "/products")
    assert refused.headers["x-request-id"] == request_records(log)[0]["request"]
    assert request_records(log)[0]["status"] == 401


def test_log_records_of_an_operation_have_the_requests_id(
    api: Api, log: pytest.LogCaptureFixture
) -> None:
    def log_something(_request: Request) -> Response:
        logging.getLogger("leanbe_emitter.somewhere").warning("Something is odd.")
        return Response()

    api.app.router.routes.append(Route("/api/v1/logging", log_something))
    api.at("GET", "/api/v1/logging", headers={"X-Request-Id": "test-8"})
    (odd,) = [each for each in log.records if each.getMessage() == "Something is odd."]
    assert getattr(odd, "request", None) == "test-8"


def test_a_database_that_is_away_is_told_without_being_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_api(f"sqlite:///{tmp_path / 'leanbe.db'}") as api:
        api("GET", "/products/Acme")
        assert not caplog.records
        (tmp_path / "leanbe.db").rename(tmp_path / "elsewhere.db")
        api("POST", "/products", {"name": "Acme"})
    (told,) = caplog.records
    assert "was there and is gone" in getattr(told, "reason", "")


def test_nothing_is_logged_of_what_was_asked_or_shown(
    api: Api, log: pytest.LogCaptureFixture
) -> None:
    headers = {"Authorization": "Bearer tok_test"}
    hook = {"url": "http://a.test/", "secret": "whsec_test"}
    api("POST", "/products", {"name": "Acme", "webhook": hook}, headers=headers)
    assert len(request_records(log)) == 1
    for record in log.records:
        assert not any(each in str(vars(record)) for each in ("tok_test", "whsec_test", "a.test"))

"""Checks of receivers over the API: they run in the background, one at a time for a receiver."""

from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter.server.http.background_checks import KEPT
from tests.support.api_client import Api, open_api
from tests.support.checked_receivers import SECRET, receivers_in_thread
from tests.support.waiting import wait_until

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def receivers() -> Iterator[str]:
    """The URL of all example receivers."""
    with receivers_in_thread() as url:
        yield url


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        yield api
        api.app.state.checks.end_all()


def begin(api: Api, **body: Any) -> str:
    answer = api("POST", "/checks", body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["_id"])


def finished(api: Api, check: str) -> dict[str, Any]:
    """Return a check when it has ended."""
    path = f"/checks/{check}"
    wait_until(lambda: api("GET", path).json()["state"] != "running", "the check ends")
    ended: dict[str, Any] = api("GET", path).json()
    return ended


def failed(check: dict[str, Any]) -> list[str]:
    return [each["id"] for each in check["report"]["checks"] if each["verdict"] == "fail"]


def test_a_check_of_a_product_reports_what_its_receiver_does_wrong(
    api: Api, receivers: str
) -> None:
    webhook = {"url": f"{receivers}/missing_accepted/hook", "secret": SECRET}
    api("POST", "/products", {"name": "Acme", "webhook": webhook})
    wanted = {"checks": ["signature.*"], "exclude": ["signature.type*"]}
    ended = finished(api, begin(api, product="Acme", **wanted))
    assert (ended["state"], ended["error"]) == ("finished", "")
    assert failed(ended) == ["signature.missing"]
    assert ended["report"]["result"] == "failed"
    assert SECRET not in str(ended)


def test_a_check_of_a_url_may_observe_what_is_stored(api: Api, receivers: str) -> None:
    at = f"{receivers}/not_idempotent"
    check = begin(
        api,
        url=f"{at}/hook",
        secret=SECRET,
        checks=["idempotency.duplicate"],
        observeUrl=f"{at}/effects",
    )
    assert failed(finished(api, check)) == ["idempotency.duplicate"]


def test_one_check_at_a_time_runs_for_a_receiver_and_delete_ends_it(
    api: Api, receivers: str
) -> None:
    at = f"{receivers}/works_later"
    body = {"url": f"{at}/hook", "secret": SECRET, "observeUrl": f"{at}/effects"}
    check = begin(api, **body)
    assert api("GET", f"/checks/{check}").json()["report"] is None
    refused = api("POST", "/checks", body)
    assert refused.status_code == 409
    assert check in refused.json()["hint"]
    assert api("DELETE", f"/checks/{check}").status_code == 204
    assert api("GET", f"/checks/{check}").status_code == 404
    assert api("DELETE", f"/checks/{check}").status_code == 404
    begin(api, **body)


def test_a_receiver_that_does_not_answer_is_told(api: Api) -> None:
    ended = finished(api, begin(api, url="http://127.0.0.1:9/", secret=SECRET))
    assert (ended["state"], ended["report"]) == ("failed", None)
    assert "connection refused" in ended["error"]


def test_the_last_checks_are_kept(api: Api, receivers: str) -> None:
    body = {"url": f"{receivers}/none/hook", "secret": SECRET, "checks": ["control.plain"]}
    first, *others = [begin_and_end(api, body) for _ in range(KEPT + 1)]
    assert api("GET", f"/checks/{first}").status_code == 404
    assert all(api("GET", f"/checks/{each}").status_code == 200 for each in others)


def begin_and_end(api: Api, body: dict[str, Any]) -> str:
    check = begin(api, **body)
    finished(api, check)
    return check


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "product or a url"),
        ({"url": "http://127.0.0.1:9/"}, 422, "secret"),
        ({"url": "http://169.254.169.254/", "secret": "s"}, 422, "metadata"),
        (
            {"url": "http://127.0.0.1:9/", "secret": "s", "observeUrl": "http://169.254.169.254/"},
            422,
            "metadata",
        ),
        ({"url": "http://127.0.0.1:9/", "secret": "s", "checks": ["sinature.*"]}, 422, "check"),
        ({"url": "http://127.0.0.1:9/", "secret": "s", "observe": "id"}, 422, "observe"),
        ({"product": "Nobody"}, 404, "Nobody"),
        ({"product": "Silent"}, 409, "no URL"),
    ],
)
def test_a_check_that_cannot_be_made_is_refused(
    api: Api, body: dict[str, Any], status: int, words: str
) -> None:
    api("POST", "/products", {"name": "Silent"})
    answer = api("POST", "/checks", body)
    assert answer.status_code == status, answer.text
    assert words in answer.text

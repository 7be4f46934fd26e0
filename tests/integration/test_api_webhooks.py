"""Webhook settings and assumptions over the API; a secret is shown in two places only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.api_client import Api, open_api

pytestmark = pytest.mark.any_database

URL = "http://127.0.0.1:9/hooks"
HOOK = "/products/Acme/webhook"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        api("POST", "/products", {"name": "Acme"})
        yield api


def test_a_secret_is_shown_where_it_is_asked_for_and_nowhere_else(api: Api) -> None:
    assert api("GET", f"{HOOK}/secret").status_code == 404
    wanted = {"url": URL, "secret": "whsec_first", "headers": {"Authorization": "Bearer t0ken"}}
    answers = [api("PUT", HOOK, wanted), api("GET", HOOK)]
    assert api("GET", f"{HOOK}/secret").json() == {"secret": "whsec_first"}
    answers += [api("POST", f"{HOOK}/rotate", {"secret": "whsec_second"}), api("GET", "/products")]
    assert api("GET", f"{HOOK}/secret").json() == {"secret": "whsec_second"}
    for answer in answers:
        assert answer.is_success
        assert not any(each in answer.text for each in ("whsec_first", "whsec_second", "t0ken"))


def test_rotating_without_a_body_makes_a_secret(api: Api) -> None:
    api("PUT", HOOK, {"url": URL, "secret": "whsec_first"})
    assert api("POST", f"{HOOK}/rotate").status_code == 200
    assert api("GET", f"{HOOK}/secret").json()["secret"] not in {"", "whsec_first"}


def test_clearing_cancels_what_is_pending_and_keeps_the_secret(api: Api) -> None:
    api("PUT", HOOK, {"url": URL, "secret": "whsec_first"})
    api("POST", f"{HOOK}/test")
    assert api("DELETE", HOOK).status_code == 204
    assert api.leanbe.deliveries.last().status == "cancelled"
    assert api("GET", HOOK).json()["url"] is None
    assert api("GET", f"{HOOK}/secret").json() == {"secret": "whsec_first"}


def test_a_test_raises_a_sample_event_and_shows_its_delivery(api: Api) -> None:
    api("PUT", HOOK, {"url": URL})
    told = api("POST", f"{HOOK}/test")
    assert told.status_code == 201
    assert told.json()["event"]["event"] == "customer.created"
    assert told.json()["delivery"]["_id"] == api.leanbe.deliveries.last().id


def test_a_webhook_without_a_url_cannot_be_tested(api: Api) -> None:
    told = api("POST", f"{HOOK}/test")
    assert (told.status_code, told.json()["code"]) == (409, "conflict")
    assert told.json()["detail"] == "customer.created was recorded, and it has no delivery."
    assert "PUT /api/v1/products/{product}/webhook" in told.json()["hint"]


def test_the_trust_of_a_webhook_is_set_with_its_url_and_stays_with_another(
    api: Api, tmp_path: Path
) -> None:
    authorities = tmp_path / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(authorities)
    by_file = {"url": URL, "caFile": str(authorities)}
    made = api("POST", "/products", {"name": "Globex", "webhook": by_file}).json()["webhook"]
    assert (made["caFile"], made["insecure"]) == (str(authorities), False)
    for wanted, told in (
        ({}, (str(authorities), False)),
        ({"insecure": True}, (None, True)),
        ({"insecure": False}, (None, False)),
    ):
        webhook = api("PUT", "/products/Globex/webhook", {"url": URL, **wanted}).json()
        assert (webhook["caFile"], webhook["insecure"]) == told


@pytest.mark.parametrize(
    "trust",
    [
        {"caFile": "missing.pem"},
        {"caFile": "~nobody-of-this-name/authorities.pem"},
        {"caFile": "x" * 5000},
        {"caFile": __file__, "insecure": True},
    ],
)
def test_a_file_of_authorities_that_is_none_is_refused(api: Api, trust: dict[str, object]) -> None:
    assert api("PUT", HOOK, {"url": URL, **trust}).status_code == 422
    wanted = {"name": "Globex", "webhook": {"url": URL, **trust}}
    assert api("POST", "/products", wanted).status_code == 422
    assert api("GET", "/products/Globex").status_code == 404


@pytest.mark.parametrize("secret", ["", 5, "whsec_\u0000"])
def test_a_refused_secret_is_not_repeated(api: Api, secret: object) -> None:
    refused = api("PUT", HOOK, {"url": URL, "secret": secret})
    assert refused.status_code == 422
    assert "whsec_" not in refused.text


def test_an_assumption_is_set_shown_and_taken_back(api: Api) -> None:
    one = "/products/Acme/assumptions/max_attempts"
    before = api("GET", one).json()
    assert api("PUT", one, {"value": "3"}).json() == {**before, "value": "3"}
    assert api("GET", "/products/Acme").json()["assumptions"] == {"max_attempts": "3"}
    assert api("DELETE", one).status_code == 204
    assert api("GET", one).json() == before


def test_an_assumption_is_a_number_or_a_truth_value_as_well_as_its_text(api: Api) -> None:
    name = "regenerate_secret_on_url_change"
    wanted = {"max_attempts": 3, name: True}
    told = {"max_attempts": "3", name: "true"}
    assert api("PUT", "/products/Acme/assumptions", wanted).json() == told
    globex = api("POST", "/products", {"name": "Globex", "assumptions": wanted}).json()
    assert globex["assumptions"] == told
    one = api("PUT", "/products/Acme/assumptions/max_attempts", {"value": 2})
    assert one.json()["value"] == "2"


def test_all_assumptions_are_replaced_at_once_or_not_at_all(api: Api) -> None:
    all_of_them = "/products/Acme/assumptions"
    api("PUT", f"{all_of_them}/max_attempts", {"value": "3"})
    assert api("PUT", all_of_them, {"method": "PUT"}).json() == {"method": "PUT"}
    for refused in ({"max_attempts": "0"}, {"max_atempts": "3"}, {"max_attempts": [3]}):
        assert api("PUT", all_of_them, refused).status_code == 422
    listed = {each["name"]: each["value"] for each in api("GET", all_of_them).json()["items"]}
    assert (listed["method"], listed["max_attempts"]) != ("POST", "3")
    assert api("GET", "/products/Acme").json()["assumptions"] == {"method": "PUT"}
    assert api("DELETE", all_of_them).status_code == 204
    assert api("GET", "/products/Acme").json()["assumptions"] == {}

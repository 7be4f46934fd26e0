"""Faults over the API: armed for every process, listed with how often they fired, forgotten."""

from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS
from tests.support.api_client import Api, open_api

URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
        yield api


def test_a_fault_is_taken_by_whoever_delivers(api: Api, database_url: str) -> None:
    wanted = {"kind": "receiver_fails", "how": "status:503", "times": 2, "event": "idea.*"}
    armed = api("POST", "/faults", wanted)
    assert (armed.status_code, armed.json()["kind"]) == (201, "receiver_fails")
    with Leanbe(database_url) as elsewhere:
        (attempt,) = elsewhere.trigger("idea.created").attempts
    assert (attempt.outcome, attempt.fault) == ("refused", "receiver_fails:status:503")
    assert api("GET", "/faults").json()["items"] == [{**armed.json(), "fired": 1}]


def test_a_fault_can_be_meant_for_one_product(api: Api) -> None:
    other = api("POST", "/products", {"name": "Globex"}).json()["_id"]
    armed = api("POST", "/faults", {"kind": "not_delivered", "product": "Globex"})
    assert armed.json()["product"] == other


def test_faults_that_were_cleared_are_gone(api: Api) -> None:
    api("POST", "/faults", {"kind": "not_delivered"})
    assert api("DELETE", "/faults").status_code == 204
    assert api("GET", "/faults").json() == {"items": [], "cursor": None}


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        ({"kind": "receiver_falls"}, 422, "receiver_fails"),
        ({"kind": "receiver_fails", "how": "slowly"}, 422, "slow"),
        ({"kind": "not_delivered", "times": 0}, 422, "times"),
        ({"kind": "not_delivered", "event": "idea.crated"}, 422, "idea.created"),
        ({"kind": "not_delivered", "product": "Initech"}, 404, "Initech"),
        ({"how": "timeout"}, 422, "kind"),
    ],
)
def test_an_invalid_fault_is_refused_with_valid_ones(
    api: Api, wanted: dict[str, Any], status: int, told: str
) -> None:
    refused = api("POST", "/faults", wanted)
    assert refused.status_code == status
    assert told in refused.text
    assert api("GET", "/faults").json()["items"] == []


def test_the_apis_document_tells_of_every_kind_and_way(api: Api) -> None:
    operation = api.app.state.openapi()["paths"]["/api/v1/faults"]["post"]
    members = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    for kind in FAULT_KINDS:
        assert f"- `{kind.name}`: {kind.meaning}" in members["kind"]["description"]
        assert all(f"`{how}`" in members["how"]["description"] for how in kind.how)

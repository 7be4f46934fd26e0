"""The page of the API as it is served: to whom, with which policy, and of which files."""

import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from leanbe_emitter.server.http.access import Access
from leanbe_emitter.server.pages import PATHS
from tests.support.api_client import open_api

STATIC = Path(str(files("leanbe_emitter.server").joinpath("static")))
SWAGGER_UI = STATIC / "swagger_ui"
NAMED = re.findall(r'(?:src|href)="(docs/[^"]+)"', (STATIC / "docs.html").read_text())
FILES = ["/docs", *(f"/{each}" for each in NAMED)]


def test_the_page_names_all_files_that_are_open_without_a_token() -> None:
    assert len(FILES) == 5
    assert set(FILES) == {each for each in PATHS if each.startswith("/docs")}


@pytest.mark.parametrize("path", FILES)
def test_its_policy_lets_in_its_own_files_and_nothing_written_into_a_page(path: str) -> None:
    with open_api() as api:
        answer = api.at("GET", path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == (
        "nosniff",
        "no-store",
    )


@pytest.mark.parametrize("path", FILES)
def test_it_needs_no_token_and_is_kept_from_other_pages(path: str) -> None:
    with open_api(access=Access(token="tok_test")) as api:
        assert api.at("GET", path).status_code == 200
        assert api.at("GET", path, headers={"Host": "evil.example"}).status_code == 403
        assert api.at("GET", path, headers={"Origin": "http://evil.example"}).status_code == 403


def test_swagger_ui_is_as_it_was_published() -> None:
    told = (SWAGGER_UI / "README.md").read_text()
    sums = re.findall(r"^([0-9a-f]{64})  (\S+)$", told, re.MULTILINE)
    shipped = {path.name: sha256(path.read_bytes()).hexdigest() for path in SWAGGER_UI.iterdir()}
    del shipped["README.md"]
    assert {name: digest for digest, name in sums} == shipped

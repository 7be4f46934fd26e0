"""The page's files as they are served: to whom, with which policy, how large, and from where."""

import base64
import gzip
import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from leanbe_emitter.server.http.access import Access
from leanbe_emitter.server.pages import PATHS
from leanbe_emitter.snippets import NAMES
from tests.support.api_client import open_api

FOLDER = Path(str(files("leanbe_emitter.server").joinpath("static", "ui")))
VENDOR = FOLDER / "vendor"
CODE = [*FOLDER.glob("*.js"), *FOLDER.glob("*.css"), *VENDOR.glob("*.mjs")]
#: The most that a browser loads, in bytes: as they are, and compressed.
MOST, MOST_COMPRESSED = 160 * 1024, 60 * 1024
MOST_LINES = 200


def test_every_file_is_served_without_a_token_and_kept_from_other_pages() -> None:
    served = {"/ui/" + each.relative_to(FOLDER).as_posix() for each in CODE}
    paths = {each for each in PATHS if not each.startswith("/docs")}
    assert served | {"/"} == paths
    with open_api(access=Access(token="tok_test")) as api:
        for path in paths:
            assert api.at("GET", path).status_code == 200
            assert api.at("GET", path, headers={"Host": "evil.example"}).status_code == 403
        assert api.at("GET", "/ui/nothing.js").status_code in {401, 404}
        assert api.at("GET", "/ui/vendor/README.md").status_code in {401, 404}


def test_the_policy_lets_in_the_files_and_the_import_map_and_no_other_code() -> None:
    with open_api() as api:
        answer = api.at("GET", "/")
    (import_map,) = re.findall(r'<script type="importmap">(.*?)</script>', answer.text, re.DOTALL)
    digest = base64.b64encode(sha256(import_map.encode()).digest()).decode()
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["trusted-types"] == "'none'"
    for name in re.findall(r'"\./(ui/vendor/[^"]+)"', import_map):
        assert f"/{name}" in PATHS


def test_a_browser_that_has_a_file_is_sent_no_second_one() -> None:
    with open_api() as api:
        first = api.at("GET", "/ui/app.js")
        again = api.at("GET", "/ui/app.js", headers={"If-None-Match": first.headers["etag"]})
        other = api.at("GET", "/ui/api.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.headers["cache-control"], first.headers["x-content-type-options"]) == (
        "no-cache",
        "nosniff",
    )
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_the_files_that_a_browser_loads_are_small() -> None:
    contents = [each.read_bytes() for each in CODE]
    assert sum(map(len, contents)) < MOST
    assert sum(len(gzip.compress(each)) for each in contents) < MOST_COMPRESSED


@pytest.mark.parametrize("path", [*FOLDER.glob("*.js")], ids=lambda path: path.name)
def test_a_script_has_one_subject_and_makes_no_html_of_texts(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// ")
    assert len(text.splitlines()) <= MOST_LINES
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|new Function", text)


def test_the_libraries_are_as_they_were_published() -> None:
    told = (VENDOR / "README.md").read_text()
    sums = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", told, re.MULTILINE))
    shipped = {sha256(each.read_bytes()).hexdigest(): each.name for each in VENDOR.iterdir()}
    assert sums == {digest: name for digest, name in shipped.items() if name != "README.md"}


def test_the_page_offers_every_receiver_that_the_command_prints() -> None:
    (names,) = re.findall(r'const SNIPPETS = "([^"]*)"', (FOLDER / "webhook.js").read_text())
    assert tuple(names.split()) == NAMES

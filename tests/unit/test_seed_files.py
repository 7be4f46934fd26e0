"""All mistakes of a seed file are told at once, each with its line and its remedy."""

import copy
import json
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from leanbe_emitter import InvalidValue
from leanbe_emitter.seeds import read_seed
from leanbe_emitter.seeds.yaml_parser import locate
from tests.support.doc_pages import ROOT

WRONG = """\
products:
  - name: Acme
    assumptions: {max_atempts: 3}
    customers:
      - emial: ana@example.com
      - {email: ana@example.com, products: [Globx]}
    ideaRequests:
      - {title: Dark mode please, customer: ana, status: attached}
      - title: Dark mode please
    ideas:
      - title: Dark mode
        visibility: publc
        tags: [ui]
        requests: [Dark mode please, Drk mode]
        assigned: onwer@example.com
        promoted: true
        upvotedBy: [eve@example.com]
      - title: 5
        _id: 12345
        archived: 'yes'
        upvotedBy: ana@example.com
    backlogItems:
      - {idea: Light mode, status: 7}
    okrs:
      - {title: A, startDate: soon, keyResults: [{titel: x}], _id: 64a291969c3a1954e6a2e506}
    announcements:
      - {title: A, _id: 64a291969c3a1954e6a2e506, categories: [{title: ''}]}
      - {}
"""
TOLD = """\
3: There is no assumption 'max_atempts'. Did you mean max_attempts?
5: A value for email is missing. Give email.
5: There is no field 'emial' to set. Did you mean email?
6: There is no product 'Globx'.
8: There is no customer 'ana'. Did you mean ana@example.com?
8: 'attached' is no value of status. Use new or ignored.
14: 'Dark mode please' names 2 of the file's ideaRequests. Give them an _id each, and name that.
15: There is no user 'onwer@example.com'. Did you mean owner@example.com?
16: promoted cannot be set. A backlog item that names the idea promotes it.
18: title is 5. It has to be text.
19: 12345 is no _id. Write 24 hex digits, in quotes.
20: archived is 'yes'. It has to be true or false.
21: upvotedBy is 'ana@example.com'. It has to be a list.
23: There is no 'Light mode' among the product's ideas. There is Dark mode.
23: status is 7. It has to be text.
27: The _id '64a291969c3a1954e6a2e506' is there twice. Give each its own.
28: A value for title is missing. Give title.
"""


def refused(folder: Path, text: str, name: str = "seed.yaml") -> str:
    path = folder / name
    path.write_text(text)
    with pytest.raises(InvalidValue) as error:
        read_seed(path, {})
    return str(error.value).replace(f"{folder}/", "")


def test_every_mistake_of_the_documents_is_told(tmp_path: Path) -> None:
    told = refused(tmp_path, WRONG)
    for line in TOLD.splitlines():
        assert f"seed.yaml:{line}" in told, told


PARTS = {
    "": "seed.yaml:1: The file is empty. It has to be an object.",
    "products: 5": "seed.yaml:1: products is 5. It has to be a list.",
    "products:\n- {}": "seed.yaml:2: name is missing. Give name.",
    "products:\n- name: 5": "seed.yaml:2: name is 5. It has to be text: put it in quotes.",
    "products:\n- name: A\n  webhok: {}": "seed.yaml:3: There is no member 'webhok' here. Did you",
    "products:\n- name: A\n  webhook:\n    uri: x": "'uri' here. Did you mean url?",
    "products:\n- name: A\n  _id: abc": "seed.yaml:3: _id is 'abc'. Write 24 hex digits",
    "products:\n- name: A\n  users: [5]": "seed.yaml:3: users[0] is 5. It has to be an object.",
    "products:\n- name: A\n  webhook:\n    url: http://a/\n    secret: env:NO": (
        "seed.yaml:5: The variable NO is not set."
    ),
}


@pytest.mark.parametrize(("text", "told"), PARTS.items())
def test_a_part_that_is_not_as_it_has_to_be_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


def leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of every text in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for step, each in inner:
        if isinstance(each, str):
            yield (*at, step)
        elif isinstance(each, dict | list):
            yield from leaves(each, (*at, step))


SETTINGS: dict[str, Any] = {
    "webhook": {
        "url": "http://127.0.0.1:8000/",
        "secret": "whsec_test",
        "headers": {"X-A": "a"},
        "caFile": "ca.pem",
    },
    "assumptions": {"content_type": "application/json"},
}
EXAMPLE: Any = locate((ROOT / "examples" / "seed.yaml").read_text()).value
EXAMPLE["products"][0] |= SETTINGS


PLACES = [*leaves(EXAMPLE)]
#: A wrong ``_id`` hides the mistakes of what refers to it; no value shows beside a secret.
ALONE = [each for each in PLACES if each[-1] in {"_id", "secret"}]
TOGETHER = [each for each in PLACES if each not in ALONE]
#: A refusal tells 20 mistakes at most.
BATCHES = [*([each] for each in ALONE), *(TOGETHER[start::5] for start in range(5))]


@pytest.mark.parametrize("places", BATCHES, ids=range(len(BATCHES)))
def test_a_text_that_no_database_can_hold_is_told_wherever_it_is(
    places: list[tuple[str | int, ...]], tmp_path: Path
) -> None:
    seed = copy.deepcopy(EXAMPLE)
    for *above, last in places:
        reduce(getitem, above, seed)[last] = "whsec\ud800"
    text = json.dumps(seed, indent=1)
    told = refused(tmp_path, text, "seed.json")
    # Of what is inside a document's field, the field's line is told.
    lines = locate(text).lines
    for place in places:
        parts = (place[:length] for length in range(min(len(place), 5), len(place) + 1))
        assert any(f"seed.json:{lines[each]}: " in told for each in parts), (place, told)
        assert "secret" not in place or "whsec" not in told


def test_a_headers_name_that_no_database_can_hold_is_told(tmp_path: Path) -> None:
    webhook = r'{"url": "http://a/", "headers": {"X-\ud800": "a"}}'
    text = f"products:\n- name: A\n  webhook: {webhook}"
    assert r"seed.yaml:3: 'X-\ud800' cannot be the name of a header" in refused(tmp_path, text)


def test_a_secret_of_the_environment_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text("products:\n- name: A\n  webhook: {url: http://a/, secret: env:HOOK}")
    with pytest.raises(
        InvalidValue, match=r"seed\.yaml:3: The secret holds a character that no"
    ) as told:
        read_seed(path, {"HOOK": "whsec\udcff"})
    assert "whsec" not in str(told.value)


DOCUMENTS = {
    "ideas: [{title: A, upvotedBy: [~]}]": "upvotedBy is None. It has to be text.",
    "okrs: [{title: A, keyResults: [{title: B, targetValue: 1, _id: b}]}]": "'b' is no _id.",
    "customers: [5]": "customers[0] is 5. It has to be an object.",
}


@pytest.mark.parametrize(("text", "told"), DOCUMENTS.items())
def test_a_document_that_cannot_be_one_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, f"products:\n  - name: A\n    {text}")


def test_a_customer_of_another_product_is_known_however_it_was_named(tmp_path: Path) -> None:
    for named in ("Globex", "649bf71bbeac6ade0bed7245"):
        path = tmp_path / "seed.yaml"
        path.write_text(
            f"""products:
  - {{name: Acme, customers: [{{email: ana@example.com, products: ['{named}']}}]}}
  - name: Globex
    _id: 649bf71bbeac6ade0bed7245
    ideas: [{{title: A, upvotedBy: [ana@example.com]}}]
"""
        )
        assert read_seed(path).content.products[1].name == "Globex"


def test_no_message_shows_a_secret(tmp_path: Path) -> None:
    webhook = "webhook: {url: 'http://a/', secret: 12345678, headers: {Authorization: [tok_test]}}"
    told = refused(tmp_path, f"products:\n- name: A\n  {webhook}")
    assert "secret is of the wrong type. It has to be text" in told
    assert "12345678" not in told
    assert "tok_test" not in told


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"nowhere.yaml' cannot be read: No such file"):
        read_seed(tmp_path / "nowhere.yaml")
    path = tmp_path / "latin.yaml"
    path.write_bytes("products: é".encode("latin-1"))
    with pytest.raises(InvalidValue, match="no UTF-8: byte 10"):
        read_seed(path)


def test_of_many_mistakes_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    entries = "\n".join("    - {}" for _ in range(30))
    told = refused(tmp_path, f"products:\n  - name: A\n    ideas:\n{entries}")
    assert told.count("seed.yaml:") == 20
    assert "And 10 more." in told


def test_a_file_of_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text('{\n\t"products": [{"name": "Acme", "ideas": [{"title": "Dark"}]}]\n}')
    assert read_seed(path).content.products[0].ideas == [{"title": "Dark"}]
    assert "seed.json:2: There is no member 'x'" in refused(
        tmp_path, '{"products": [],\n"x": 1}', "seed.json"
    )

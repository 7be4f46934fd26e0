"""Options and paths for a document's fields become the library's keyword arguments."""

from typing import Any

import pytest

from leanbe_emitter.cli.act.field_options import PathChanges, changed, entries, field_options, typed
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.payloads import declarations

IDEA: dict[str, Any] = {
    "_id": "64a28f3c9c3a1954e6a2e504",
    "owner": {"_id": "63caa6a0575db9607cd0d171", "firstName": "John", "email": "john@example.com"},
    "title": "Dark mode",
    "tags": [{"title": "ui"}, {"title": "ux"}],
    "promoted": False,
}
CUSTOMER: dict[str, Any] = {
    "email": "ana@example.com",
    "company": {"name": "Globex", "jobTitle": "CEO"},
    "products": [{"_id": "649bf71bbeac6ade0bed7245", "name": "Acme"}],
}


def paths(
    *text: tuple[str, str], json: tuple[tuple[str, Any], ...] = (), unset: tuple[str, ...] = ()
) -> PathChanges:
    return PathChanges(set_text=text, set_json=json, unset=unset)


def idea(*text: tuple[str, str], **more: Any) -> dict[str, Any]:
    return changed(declarations.IDEA, IDEA, {}, paths(*text, **more))


def customer(*text: tuple[str, str], **more: Any) -> dict[str, Any]:
    return changed(declarations.CUSTOMER, CUSTOMER, {}, paths(*text, **more))


def test_only_fields_that_were_named_are_handed_on() -> None:
    assert idea(("title", "Night mode")) == {"title": "Night mode"}


def test_names_become_the_librarys() -> None:
    values = customer(("addressLine1", "1 Main St"), json=(("isTemporary", True),))
    assert values == {"address_line1": "1 Main St", "is_temporary": True}
    assert idea(("descriptionHTML", "<b>Hi</b>")) == {"description_html": "<b>Hi</b>"}


def test_a_nested_path_keeps_the_rest_of_the_value() -> None:
    assert customer(("company.jobTitle", "CTO")) == {
        "company": {"name": "Globex", "jobTitle": "CTO"}
    }
    assert idea(("tags[1].title", "night"), ("tags[2].title", "new")) == {
        "tags": [{"title": "ui"}, {"title": "night"}, {"title": "new"}]
    }


def test_a_nested_path_makes_what_is_missing_on_its_way() -> None:
    assert customer(("country.countryCode", "FR")) == {"country": {"countryCode": "FR"}}


def test_an_unset_path_is_none() -> None:
    assert idea(unset=("assigned",)) == {"assigned": None}
    assert idea(unset=("title",)) == {"title": None}, "the library refuses it, aloud"
    assert idea(unset=("tags[0]",)) == {"tags": [{"title": "ux"}]}
    assert customer(unset=("company.jobTitle",)) == {
        "company": {"name": "Globex", "jobTitle": None}
    }


def test_references_are_set_by_what_names_them() -> None:
    assert idea(("owner", "bo@example.com")) == {"owner": "bo@example.com"}
    assert customer(("products[1]", "Globex")) == {
        "products": ["649bf71bbeac6ade0bed7245", "Globex"]
    }


def test_paths_go_into_what_options_gave() -> None:
    key_results = [{"title": "Score", "targetValue": 60}]
    said = paths(("keyResults[0].unit", "%"))
    values = changed(declarations.OKR, {}, {"keyResults": key_results}, said)
    assert values == {"key_results": [{"title": "Score", "targetValue": 60, "unit": "%"}]}
    assert key_results == [{"title": "Score", "targetValue": 60}]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("titel", "Did you mean title"),
        ("createdAt", "can be set"),
        ("promoted", "can be set"),
        ("owner.email", "owner"),
        ("tags[7].title", "past the end"),
        ("", "title"),
        ("tags[", "tags"),
    ],
)
def test_a_path_that_cannot_be_set_is_refused_with_what_can(path: str, said: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        idea((path, "x"))
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_text_for_what_is_no_text_is_refused_with_the_option_to_use() -> None:
    with pytest.raises(InvalidValue) as caught:
        idea(("archived", "true"))
    assert "--set-json archived=true" in caught.value.hints.command


def test_options_that_were_not_given_are_no_fields() -> None:
    options = (
        *field_options("firstName", "city"),
        entries("notes", option="--note", member="note"),
    )
    given = {"field_first_name": "Ana", "field_city": None, "field_notes": ()}
    assert typed(options, given) == {"firstName": "Ana"}
    assert typed(options, {**given, "field_city": "", "field_notes": ("a", "b")}) == {
        "firstName": "Ana",
        "city": "",
        "notes": [{"note": "a"}, {"note": "b"}],
    }

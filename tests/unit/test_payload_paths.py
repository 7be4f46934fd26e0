"""A payload is changed by path: what the shape has may be set, and keys stay in its order."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.payloads.event_payloads import payload
from leanbe_emitter.wire.payloads.payload_paths import change, paths
from leanbe_emitter.wire.payloads.schema import json_schema
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from tests.support.payload_schemas import payload_validator

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NULL = parse_assumptions({"unset": "null"})


def sample(event: str, assumptions: AssumptionSet = ARTICLE) -> dict[str, Any]:
    product = {"_id": "649bf71bbeac6ade0bed7245", "name": "Acme"}
    samples = SamplePayloads(
        product=product, ids=Ids(random.Random(7)), now=NOW, assumptions=assumptions
    )
    return samples.payload(event)


def idea(**changes: Any) -> dict[str, Any]:
    return change(sample("idea.created"), event="idea.created", **changes)


def customer(**changes: Any) -> dict[str, Any]:
    return change(sample("customer.created"), event="customer.created", **changes)


def at(document: Any, path: str) -> Any:
    for step in path.replace("[", ".").replace("]", "").split("."):
        document = document[int(step) if isinstance(document, list) else step]
    return document


def test_text_is_set_by_path() -> None:
    assert idea(set={"title": "Dark mode"})["title"] == "Dark mode"
    changed = customer(set={"country.countryCode": "FR", "devices[1].browser": "Lynx"})
    assert changed["country"] == {"countryCode": "FR", "countryName": "Portugal"}
    assert changed["devices"][1]["browser"] == "Lynx"


def test_the_payload_itself_is_left_as_it_is() -> None:
    before = sample("idea.created")
    change(before, event="idea.created", set={"tags[0].title": "x"}, unset=["owner.email"])
    assert before == sample("idea.created")


def schema_at(event: str, path: str) -> Any:
    schema: Any = json_schema(event)
    for step in path.replace("[0]", ".[0]").split("."):
        schema = schema["items"] if step == "[0]" else schema["properties"][step]
    return schema


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_every_text_of_the_shape_may_be_set_and_nothing_else(event: str) -> None:
    document = sample(event)
    for path in paths(event):
        if schema_at(event, path)["type"] == "string":
            assert at(change(document, event=event, set={path: "ü €"}), path) == "ü €"
        else:
            with pytest.raises(InvalidValue, match="is not text but"):
                change(document, event=event, set={path: "ü €"})


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_every_path_may_be_set_as_json(event: str) -> None:
    document = sample(event)
    for path in paths(event):
        assert at(change(document, event=event, set_json={path: [None]}), path) == [None]


@pytest.mark.parametrize("event", EVENT_NAMES)
@pytest.mark.parametrize("assumptions", [ARTICLE, NULL], ids=["omit", "null"])
def test_every_path_may_be_unset(event: str, assumptions: AssumptionSet) -> None:
    document = sample(event, assumptions)
    validator = payload_validator(event, assumptions)
    required: Any = json_schema(event)["required"]
    for path in paths(event, assumptions):
        if "[" in path and at_or_none(document, path.split("[")[0]) in ([], None):
            continue
        changed = change(document, event=event, assumptions=assumptions, unset=[path])
        if path in required:
            assert path not in changed
            assert not validator.is_valid(changed)
        elif path in document:
            assert (changed.get(path), path in changed) == (None, assumptions is NULL)
            assert validator.is_valid(changed)


def at_or_none(document: Any, path: str) -> Any:
    try:
        return at(document, path)
    except (KeyError, TypeError, IndexError):
        return None


@given(st.data())
def test_keys_keep_the_contracts_order_whatever_is_unset_and_set_again(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(EVENT_NAMES))
    document = sample(event)
    top = [path for path in paths(event) if path in document]
    gone = data.draw(st.lists(st.sampled_from(top), unique=True))
    without = change(document, event=event, unset=gone)
    again = data.draw(st.permutations(gone))
    back = change(without, event=event, set_json={path: document[path] for path in again})
    assert list(back.items()) == list(document.items())


def test_an_optional_field_that_the_sample_lacks_is_inserted_in_its_place() -> None:
    bare = idea(unset=["assigned", "description"])
    changed = change(bare, event="idea.created", set={"description": "d", "assigned.email": "e"})
    assert list(changed) == list(sample("idea.created"))
    assert changed["assigned"] == {"email": "e"}
    again = change(changed, event="idea.created", set={"assigned._id": "1"})
    assert list(again["assigned"]) == ["_id", "email"]
    request = change(
        sample("ideaRequest.created"), event="ideaRequest.created", set={"idea.title": "t"}
    )
    assert list(request)[-1] == "idea"


def test_keys_that_the_shape_does_not_have_stay_where_they_are() -> None:
    document = {"zzz": 1, "updatedAt": "now", "own": 2}
    changed = change(document, event="okr.created", set={"title": "t", "createdAt": "c"})
    assert list(changed) == ["zzz", "title", "createdAt", "updatedAt", "own"]


def test_the_next_item_of_a_list_is_appended() -> None:
    assert idea(set={"tags[1].title": "ui"})["tags"] == [{"title": "ui"}, {"title": "ui"}]
    changed = idea(set={"tags[1].title": "b", "tags[2].title": "c"})
    assert [tag["title"] for tag in changed["tags"]] == ["ui", "b", "c"]
    bare = customer(unset=["notes"])
    assert change(bare, event="customer.created", set={"notes[0].note": "n"})["notes"] == [
        {"note": "n"}
    ]


def test_an_index_further_out_is_refused_with_the_length() -> None:
    with pytest.raises(InvalidValue) as refusal:
        idea(set={"tags[3].title": "ui"})
    assert "tags[3].title" in refusal.value.message
    assert "length is 1" in refusal.value.message
    assert "[1]" in refusal.value.hint


def test_an_item_of_a_list_is_unset_alone() -> None:
    assert [each["name"] for each in customer(unset=["devices[0]"])["devices"]] == ["Desk"]
    with pytest.raises(InvalidValue, match="length is 2"):
        customer(unset=["devices[2]"])
    with pytest.raises(InvalidValue, match="length is 2"):
        customer(unset=["devices[2].name"])


def test_unsetting_a_missing_member_changes_nothing() -> None:
    bare = idea(unset=["assigned"])
    assert change(bare, event="idea.created", unset=["assigned", "assigned.email"]) == bare


def test_an_image_takes_any_path() -> None:
    changed = customer(set={"image.url": "u", "image.sizes[0].name": "s", "image.sizes[1]": "t"})
    assert changed["image"] == {"url": "u", "sizes": [{"name": "s"}, "t"]}
    assert customer(set_json={"image": {"b": 1, "a": 2}})["image"] == {"b": 1, "a": 2}
    assert change(changed, event="customer.created", unset=["image.sizes[0]"])["image"] == {
        "url": "u",
        "sizes": ["t"],
    }


WRONG_PATHS = [
    *("titel", "Title", " title", "title\n", "customer", "title.x", "owner[0]", "[0]"),
    *("", ".", ".title", "title.", "title..x"),
    *("tags.title", "tags[0]title", "tags[0].titel"),
    *("tags[x].title", "tags[].title", "tags[-1].title", "tags[01].title", "tags[9999999].title"),
]


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_a_wrong_path_is_refused_with_those_that_there_are(path: str) -> None:
    for changes in ({"set": {path: "x"}}, {"set_json": {path: 1}}, {"unset": [path]}):
        with pytest.raises(InvalidValue) as refusal:
            idea(**changes)
        assert refusal.value.message == f"idea.created has no path {path!r}."
        assert all(each in refusal.value.hint for each in paths("idea.created"))


@pytest.mark.parametrize(
    ("path", "nearest"),
    [("titel", "title"), ("tags.title", "tags[0].title"), ("tags[7].titel", "tags[0].title")],
)
def test_a_wrong_path_is_refused_with_the_nearest(path: str, nearest: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        idea(set={path: "x"})
    question = refusal.value.hint.partition("?")[0]
    assert question.startswith("Did you mean ")
    assert nearest in question


def test_a_member_that_is_not_there_is_refused_with_the_way_to_add_one() -> None:
    with pytest.raises(InvalidValue) as refusal:
        idea(set={"mood": "fine"})
    assert "give the whole payload: trigger EVENT --payload @FILE." in refusal.value.hints.command
    with pytest.raises(InvalidValue) as refusal:
        idea(unset=["mood"])
    assert "whole payload" not in refusal.value.hints.command
    with pytest.raises(InvalidValue, match="past the end of its list") as refusal:
        idea(set={"tags[7].title": "ui"})
    assert refusal.value.hints.command == "To add an item: --set 'tags[1].title=TEXT'."


def test_paths_follow_the_assumptions() -> None:
    assert "ideaRequests[0].id" in paths("idea.created")
    assert "ideaRequests[0]._id" in paths(
        "idea.created", parse_assumptions({"idea_request_ref_key": "_id"})
    )
    assert paths("idea.deleted", parse_assumptions({"deleted_payload": "id"})) == ("_id",)
    assert "changes[0].oldValue" in paths(
        "idea.updated", parse_assumptions({"include_changes": "true"})
    )
    with pytest.raises(InvalidValue, match=r"no path 'customer\.email'"):
        change(
            {}, event="idea.upVoted", assumptions=parse_assumptions({"vote_payload": "idea"}),
            set={"customer.email": "e"},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text", "call", "typed"),
    [
        ("upvotes", "3", "Use Changes(set_json={'upvotes': 3}).", "Use --set-json upvotes=3."),
        ("promoted", "true", "set_json={'promoted': True}", "--set-json promoted=true"),
        ("promoted", "yes", "set_json={'promoted': VALUE}", "--set-json promoted=VALUE"),
        ("tags", "ui", "tags[0].title", "tags[0].title"),
        ("tags[0]", "ui", "tags[0].title", "tags[0].title"),
        ("owner", "John", "owner.firstName", "owner.firstName"),
    ],
)
def test_text_for_what_is_not_text_is_refused_with_what_to_call_or_type(
    path: str, text: str, call: str, typed: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        idea(set={path: text})
    assert f"{path} of idea.created is not text" in refusal.value.message
    assert call in refusal.value.hint
    assert typed in refusal.value.hints.command


def test_a_number_in_the_place_of_text_is_told_where_it_belongs() -> None:
    number: Any = 3
    with pytest.raises(InvalidValue, match=r"Use Changes\(set_json=\{'upvotes': 3\}\)"):
        idea(set={"upvotes": number})


def test_json_may_be_of_any_type_since_tests_send_what_is_wrong() -> None:
    assert idea(set_json={"upvotes": "many"})["upvotes"] == "many"
    assert idea(set_json={"tags[0]": 7})["tags"] == [7]
    assert idea(set_json={"assigned": None})["assigned"] is None


def test_json_is_copied() -> None:
    value = [{"title": "a"}]
    changed = idea(set_json={"tags": value})
    changed["tags"][0]["title"] = "b"
    assert value == [{"title": "a"}]


def test_a_path_through_what_is_no_object_says_so() -> None:
    broken = idea(set_json={"owner": "John", "tags": {"title": "x"}})
    with pytest.raises(InvalidValue, match="owner of this payload is not an object"):
        change(broken, event="idea.created", set={"owner.email": "e"})
    with pytest.raises(InvalidValue, match="tags of this payload is not a list"):
        change(broken, event="idea.created", unset=["tags[0].title"])


def test_json_is_set_before_anything_is_unset_and_after_text() -> None:
    changed = idea(
        set={"title": "a", "description": "b"}, set_json={"title": "c"}, unset=["description"]
    )
    assert changed["title"] == "c"
    assert "description" not in changed


@given(st.text(st.characters(codec=None)))
def test_any_text_may_be_set(text: str) -> None:
    assert idea(set={"title": text})["title"] == text


@given(st.text(alphabet="abct.[]019 gsile_"))
def test_any_path_is_one_of_the_shape_or_refused(path: str) -> None:
    try:
        changed = idea(set={path: "x"})
    except InvalidValue:
        return
    assert at(changed, path) == "x"


def test_a_payload_changed_to_its_own_values_is_what_it_was() -> None:
    for event in EVENT_NAMES:
        document = sample(event)
        changed = change(document, event=event, set_json=document)
        assert list(changed.items()) == list(payload(event, document).items())


def test_a_wrong_event_is_refused() -> None:
    with pytest.raises(InvalidValue, match="no event"):
        paths("idea.create")

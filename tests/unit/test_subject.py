"""The subject of an event, read from the beginning of its body."""

import json

import pytest

from leanbe_emitter.wire.payloads.subject import BEGINNING, Subject, beginnings

ID = "649d2ac99c3a1954e6a2e42a"


def body(payload: object, *, indent: int | None = None) -> str:
    separators = (",", ":") if indent is None else None
    return json.dumps({"payload": payload, "event": "x"}, indent=indent, separators=separators)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("names", "text"),
    [
        ({"title": "Dark mode"}, "Dark mode"),
        (
            {"owner": {"title": "not this", "email": "a@b.c"}, "title": "Dark \"m'ode"},
            "Dark \"m'ode",
        ),
        ({"firstName": "Ana", "lastName": "Lima", "email": "ana@example.com"}, "Ana Lima"),
        ({"firstName": "Ana", "publicId": "x", "email": "ana@example.com"}, "Ana"),
        ({"firstName": "", "email": "ana@example.com"}, "ana@example.com"),
        ({"title": 7, "name": "Globex"}, "Globex"),
        ({"title": "x" * 200}, "x" * 80),
        ({}, None),
    ],
)
def test_it_has_the_documents_own_id_and_name(
    names: dict[str, object], text: str | None, indent: int | None
) -> None:
    whole = body({"_id": ID, **names}, indent=indent)
    subject = Subject.of("backlogItem.created", whole[:BEGINNING])
    assert subject.document() == {"kind": "backlogItem", "_id": ID, "text": text}
    assert whole.startswith(beginnings(ID))


@pytest.mark.parametrize(
    "beginning",
    [
        "",
        "{",
        "[]",
        '{"payload":null}',
        '{"payload":{"title":"a',
        '{"payload":{"\\u0061":1',
        body([1]),
    ],
)
def test_a_body_of_another_form_has_no_subject(beginning: str) -> None:
    assert Subject.of("idea.created", beginning) == Subject(kind="idea", id=None, text=None)


def test_a_name_behind_a_member_that_does_not_end_in_the_beginning_is_not_found() -> None:
    whole = body({"_id": ID, "description": "x" * BEGINNING, "title": "Dark mode"})
    assert Subject.of("idea.created", whole[:BEGINNING]) == Subject(kind="idea", id=ID, text=None)
    deep = f'{{"payload":{{"_id":"{ID}","x":{"[" * BEGINNING}'
    assert Subject.of("idea.created", deep[:BEGINNING]).id == ID

"""The types of all languages come from one set of records, which names each shape once."""

import keyword
import re
from typing import Any

import pytest

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.generated_types import LANGUAGES
from leanbe_emitter.wire.generated_types.records import type_file
from leanbe_emitter.wire.payloads.event_payloads import envelope_shape
from leanbe_emitter.wire.payloads.schema import json_schema
from leanbe_emitter.wire.payloads.shapes import ListOf, Object, Shape
from tests.support.assumption_sets import ASSUMPTION_SETS

each_assumption = pytest.mark.parametrize(
    "assumptions", ASSUMPTION_SETS.values(), ids=ASSUMPTION_SETS
)
#: Words of Java, PHP and TypeScript that no member of a record and no class may have as its name.
_WORDS = """
    abstract and array as assert boolean break byte callable case catch char class clone const
    continue declare default do double echo else empty enum eval exit export extends final finally
    float fn for foreach function global goto if implements import include instanceof insteadof int
    interface isset list long match namespace native never new null object or package parent print
    private protected public readonly record require return sealed self short static strictfp string
    super switch synchronized this throw throws trait transient try unset use var void volatile
    while xor yield
"""
RESERVED = frozenset(_WORDS.split())


def anonymous(shape: Shape) -> Any:
    """Return what a shape's values look like, without meanings and sources."""
    if isinstance(shape, Object):
        return [(each.name, each.required, anonymous(each.shape)) for each in shape.fields]
    return ["list", anonymous(shape.item)] if isinstance(shape, ListOf) else shape


def parts(shape: Shape) -> list[Object]:
    if isinstance(shape, ListOf):
        return parts(shape.item)
    if not isinstance(shape, Object):
        return []
    return [shape, *(part for each in shape.fields for part in parts(each.shape))]


@each_assumption
def test_one_name_means_one_shape(assumptions: AssumptionSet) -> None:
    shapes: dict[str, Any] = {}
    for event in EVENT_NAMES:
        payload = envelope_shape(event, assumptions).fields[0].shape
        for part in parts(payload)[1:]:
            assert part.name
            assert anonymous(part) == shapes.setdefault(part.name, anonymous(part)), part.name


@each_assumption
def test_a_record_stands_behind_its_parts_and_has_a_name_of_its_own(
    assumptions: AssumptionSet,
) -> None:
    file = type_file(EVENT_NAMES, assumptions)
    records = [*file.records, *(record for _, record in file.bodies)]
    seen: set[str] = set()
    for record in records:
        inner = {part.name for each in record.fields for part in parts(each.shape)}
        assert inner <= seen
        assert record.name not in seen
        seen.add(record.name)


@each_assumption
def test_a_record_has_the_keys_of_the_schema_in_their_order(assumptions: AssumptionSet) -> None:
    for event, body in type_file(EVENT_NAMES, assumptions).bodies:
        payload: Any = body.fields[0].shape
        schema: Any = json_schema(event, assumptions)
        assert [each.name for each in payload.fields] == list(schema["properties"])


def test_no_name_is_a_reserved_word() -> None:
    file = type_file()
    for record in (*file.records, *(record for _, record in file.bodies)):
        for name in (record.name, *(each.name for each in record.fields)):
            assert name.isidentifier()
            assert name.lower() not in RESERVED
            assert not keyword.iskeyword(name)


#: How a record begins and ends, and how a member's key is written, in each language.
FORMS = {
    "typescript": ("export interface {} ", "\n}", "  {}[?]?: "),
    "python": ("class {}[(]", "\n\n\n", "    {}: "),
    "go": ("type {} struct ", "\n}", '`json:"{}[,"]'),
    "php": ("final class {}[ \n]", "\n    ) {", " [$]{},"),
    "java": ("public record {}[(]", " {}", " {}[,)]"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_each_record_and_its_keys_in_their_order(language: str) -> None:
    file = type_file()
    text = LANGUAGES[language](file)
    opening, closing, key = FORMS[language]
    for record in (*file.records, *(record for _, record in file.bodies)):
        _, behind = re.split(opening.format(record.name), text)
        block = behind.partition(closing)[0]
        found = [re.search(key.format(each.name), block) for each in record.fields]
        starts = [each.start() for each in found if each is not None]
        assert len(starts) == len(record.fields), record.name
        assert starts == sorted(starts)


def test_typescript_marks_inferred_and_optional_members() -> None:
    text = LANGUAGES["typescript"](type_file(["idea.upVoted"]))
    assert (
        "  /** Whose vote it is, if known. (inferred) */\n  customer?: CustomerReference;" in text
    )
    assert "  /** Its title. */\n  title: string;" in text
    nulls = type_file(["idea.upVoted"], parse_assumptions({"unset": "null"}))
    assert "  description: string | null;" in LANGUAGES["typescript"](nulls)
    assert '  status: "new";' in LANGUAGES["typescript"](type_file(["ideaRequest.created"]))


def test_a_payload_that_is_its_resources_document_has_the_resources_name() -> None:
    file = type_file(["idea.created", "idea.updated", "idea.promoted"])
    meanings = {each.name: each.meaning for each in file.records}
    assert meanings["Idea"] == "The payload of idea.created and idea.updated."
    assert meanings["IdeaPromotedPayload"] == "The payload of idea.promoted."


def test_types_of_an_unknown_event_are_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue) as refusal:
        type_file(["idea.upvoted"])
    assert "idea.upVoted" in refusal.value.hint

"""The judgement of JavaScript on our bytes: each claim is put to a real Node process."""

import json
import math
import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter import sign, stringify
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet
from leanbe_emitter.wire.envelope import seal, verify
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.repairs import signature_line
from leanbe_emitter.wire.signing_vectors import signing_vectors
from leanbe_emitter.wire.stringify import parse
from tests.support.example_envelopes import ENVELOPES, SECRET
from tests.support.node import Node, Refused

pytestmark = pytest.mark.node

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PRETTY = AssumptionSet(pretty_body=True)

# Every code unit, lone surrogates among them, and now and then a character beyond the first plane.
TEXTS = st.text(st.characters(exclude_categories=()))
KEYS = TEXTS | st.integers(0, 2**33).map(str) | st.sampled_from(["00", "-1", "1.5", "NaN", "true"])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(LEAVES, lambda x: st.lists(x) | st.dictionaries(KEYS, x), max_leaves=30)


def wrap(value: Any, layers: list[bool]) -> Any:
    for in_list in layers:
        value = [value] if in_list else {"9": 0, "a": value}
    return value


DEEP_VALUES = st.builds(wrap, VALUES, st.lists(st.booleans(), max_size=150))


def json_texts(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts of lists and objects of those parts, with spaces and keys that come twice."""
    spaces = st.sampled_from(["", " ", "\n\t", "\r"])
    keys = st.sampled_from(['"a"', '"\\u0061"', '"1"', '"10"', '"\\ud83d"', '"__proto__"'])
    members = st.lists(st.tuples(spaces, keys, spaces, parts).map(lambda m: "{}{}{}:{}".format(*m)))
    return st.lists(st.tuples(spaces, parts, spaces).map("".join)).map(
        lambda items: f"[{','.join(items)}]"
    ) | members.map(lambda items: f"{{{','.join(items)}}}")


SPELLED_NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?\Z")
SPELLED_TEXTS = TEXTS.map(json.dumps) | st.sampled_from([r'"\/"', r'"\u00E9"', r'"\ud83d\ude00"'])
SPELLINGS = st.recursive(SPELLED_NUMBERS | SPELLED_TEXTS, json_texts, max_leaves=10)


def garble(text: str, at: int, noise: str) -> str:
    at %= len(text) + 1
    return text[:at] + noise + text[at + 1 :]


GARBLED = st.builds(garble, SPELLINGS, st.integers(0, 99), st.sampled_from(list('{}[],:"\\eE.-0')))


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.started() as node:
        yield node


@given(VALUES | DEEP_VALUES)
def test_any_value_is_written_as_javascript_writes_it(node: Node, value: Any) -> None:
    text = stringify(value)
    assert text == node.restringify(json.dumps(value))
    assert text == node.restringify(text)


@given(SPELLINGS)
def test_any_text_is_read_as_javascript_reads_it(node: Node, text: str) -> None:
    assert stringify(parse(text)) == node.restringify(text)


@given(GARBLED)
def test_a_text_that_javascript_refuses_is_refused(node: Node, text: str) -> None:
    try:
        expected = node.restringify(text)
    except Refused:
        with pytest.raises(InvalidValue):
            parse(text)
    else:
        assert stringify(parse(text)) == expected


def test_doubles_of_every_magnitude_are_written_alike(node: Node) -> None:
    chance = random.Random(20230629)
    doubles = list(struct.unpack("<20000d", chance.randbytes(8 * 20_000)))
    doubles = [number for number in doubles if math.isfinite(number)]
    doubles += [float(f"{digit}e{power}") for digit in (1, 9.5) for power in range(-330, 308)]
    assert stringify(doubles) == node.restringify(json.dumps(doubles))


def test_every_code_point_is_written_alike(node: Node) -> None:
    first_plane = [chr(point) for point in range(0x10000)]
    planes = [range(start, start + 0x10000) for start in range(0x10000, 0x110000, 0x10000)]
    for value in (first_plane, *(["".join(map(chr, plane))] for plane in planes)):
        assert stringify(value) == node.restringify(json.dumps(value))


@given(VALUES, TEXTS)
def test_any_payload_is_signed_by_the_articles_formula(
    node: Node, payload: Any, secret: str
) -> None:
    text = stringify(payload)
    assert sign(payload, secret) == node.signature(json.loads(text), secret)


@given(VALUES, TEXTS, st.sampled_from([ARTICLE, PRETTY]))
def test_any_sealed_body_verifies_by_the_articles_formula(
    node: Node, payload: Any, event: str, assumptions: AssumptionSet
) -> None:
    body = seal(
        stringify(payload), event=event, triggered_at=NOON, secret=SECRET, assumptions=assumptions
    ).body
    assert node.verifies(body, SECRET)
    assert not node.verifies(body, "whsec_other")
    assert stringify(verify(body.encode(), SECRET).payload) == stringify(payload)


@given(VALUES)
def test_a_pretty_body_is_indented_as_javascript_indents(node: Node, payload: Any) -> None:
    compact, pretty = (
        seal(
            stringify(payload), event="okr.updated", triggered_at=NOON, secret="s", assumptions=each
        )
        for each in (ARTICLE, PRETTY)
    )
    assert pretty.body == node.indent(compact.body)


@pytest.mark.parametrize("envelope", ENVELOPES, ids=[each["event"] for each in ENVELOPES])
def test_the_22_examples_verify_by_the_articles_formula(
    node: Node, envelope: dict[str, Any]
) -> None:
    assert node.verifies(json.dumps(envelope), SECRET)


def test_the_javascript_repair_of_what_is_hashed_computes_the_signature(node: Node) -> None:
    line = signature_line(Language.JAVASCRIPT, ARTICLE)
    repair = f"const [body, secret] = given; return crypto.{line}"
    for envelope in ENVELOPES:
        assert node.run(repair, envelope, SECRET) == envelope["signature"]


def test_node_computes_text_and_signature_of_each_signing_vector(node: Node) -> None:
    document: Any = json.loads(json.dumps(signing_vectors()))
    for vector in document["vectors"]:
        assert node.restringify(json.dumps(vector["payload"])) == vector["text"]
        assert node.signature(vector["payload"], vector["secret"]) == vector["signature"]
        assert node.verifies(vector["body"], vector["secret"])

"""The imitations of other languages' serialisers, held to what the real ones wrote."""

import pytest

from leanbe_emitter.wire.explain.differences import differences
from leanbe_emitter.wire.explain.json_tree import tree_of
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import SERIALISERS
from leanbe_emitter.wire.explain.serialisers.notation import (
    JAVASCRIPT,
    RefusedText,
    Serialiser,
    write,
)
from leanbe_emitter.wire.stringify import parse, stringify
from tests.support.serialiser_table import TABLE, Row, rows

ROWS = [*rows()]
LANGUAGES = sorted({each.language for each in SERIALISERS})


def written(serialiser: Serialiser, text: str) -> str | None:
    try:
        made = serialiser.text(tree_of(text))
        made.encode()
    except (RefusedText, UnicodeEncodeError):
        return None
    return made


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_serialiser_writes_what_the_real_one_wrote(language: Language) -> None:
    serialisers = {each.name: each for each in SERIALISERS if each.language is language}
    checked = [row for row in ROWS if row.serialiser in serialisers]
    assert {row.serialiser for row in checked} == set(serialisers)
    wrong = [
        (row.serialiser, row.name)
        for row in checked
        if not row.is_made(written(serialisers[row.serialiser], row.text))
    ]
    assert wrong == []


def test_every_real_serialiser_has_an_imitation() -> None:
    known = {each.name for each in SERIALISERS}
    assert {row.serialiser for row in ROWS} - known == {"js-stringify"}  # the right one


def test_the_table_has_the_examples_and_tells_what_was_run() -> None:
    names = [entry["name"] for entry in TABLE["texts"]]
    assert len(names) == len(set(names)) == 22 + 37
    assert TABLE["versions"]["csharp"] == "not run: by its documentation"
    assert all(TABLE["versions"][language] for language in ("php", "go", "ruby", "java"))


@pytest.mark.parametrize(
    "row", [each for each in ROWS if each.serialiser == "js-stringify"], ids=lambda row: row.name
)
def test_without_any_choice_the_text_is_that_of_javascript(row: Row) -> None:
    made = write(tree_of(row.text), JAVASCRIPT)
    assert row.is_made(made)
    assert made == stringify(parse(row.text)) or row.name == "large fractions"


def test_a_difference_is_told_exactly_if_the_texts_differ() -> None:
    hard = TABLE["texts"][22:]
    trees = {entry["text"]: tree_of(entry["text"]) for entry in hard}
    for serialiser in SERIALISERS:
        if serialiser.says:
            continue
        for text, tree in trees.items():
            made = written(serialiser, text)
            if made is None:
                continue
            told = differences(tree, serialiser.notation)
            assert bool(told) is (made != write(tree, JAVASCRIPT)), (serialiser.name, text, told)


def told(name: str, text: str) -> str:
    notation = next(each.notation for each in SERIALISERS if each.name == name)
    return differences(tree_of(text), notation)


@pytest.mark.parametrize(
    ("serialiser", "text", "words"),
    [
        ("php-objects", '{"a":"x/é"}', r"writes / as \/ and é as \u00e9"),
        ("php-objects", '{"é":1}', r"writes é as \u00e9"),
        ("php-arrays-slashes-unicode", '{"a":{},"b":[]}', "turns {} into []"),
        ("php-objects-slashes-unicode", '{"a":"\u2028"}', r"writes U+2028 as \u2028"),
        ("php-objects-numeric", '{"a":"1.50"}', 'writes "1.50" as 1.5'),
        ("python-dumps-compact", '{"a":1e-7}', "writes 1e-7 as 1e-07"),
        (
            "python-dumps",
            '{"a":[1,"ü"]}',
            r"writes ü as \u00fc and puts spaces behind commas and colons",
        ),
        ("go-marshal", '{"b":"<","a":1}', r"writes < as \u003c and sorts the keys"),
        ("go-marshal", '{"a":1}', ""),
        ("go-raw-encoder-plain", '{"a":1}', "ends with a newline"),
        (
            "java-gson-map",
            '{"a":0,"b":null}',
            "writes 0 as 0.0 and leaves out members that are null",
        ),
        ("csharp-text-json", '{"a":"+\'"}', r"writes + as \u002B"),
        (
            "csharp-newtonsoft",
            '{"a":"2026-01-01T00:00:00.500Z"}',
            'writes "2026-01-01T00:00:00.500Z" as "2026-01-01T00:00:00.5Z"',
        ),
        ("js-indent-2", '{"a":1}', "spreads it over several lines"),
    ],
)
def test_a_difference_is_told_by_its_place_in_the_payload(
    serialiser: str, text: str, words: str
) -> None:
    assert told(serialiser, text) == words

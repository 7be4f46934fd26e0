"""Wrong signatures of receivers that were written from the article alone: each is named.

The texts that other languages hash are those that their real serialisers wrote.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest

from leanbe_emitter.wire.explain.explainer import Verdict, explain
from tests.support.serialiser_table import TABLE

SECRET = "whsec_" + "5e" * 32
REST = ',"event":"idea.created","triggeredAt":"2026-11-24T12:00:00.000Z"'
TEXTS = {entry["name"]: entry["text"] for entry in TABLE["texts"]}
#: The mistake, and the text in which it shows.
SERIALISED = """
    php-objects                   html
    php-objects                   accents
    php-objects-slashes           accents
    php-objects-unicode           html
    php-arrays-slashes-unicode    empty object
    php-arrays-slashes-unicode    indexes
    php-objects-slashes-unicode-lines  1e21
    php-objects-slashes-unicode-lines  1e-7
    php-objects-slashes-unicode   line separators
    php-objects-numeric           numeric texts
    php-objects-pretty            accents
    go-marshal                    order
    go-marshal                    html
    go-encoder                    zero
    go-encoder-plain              html
    go-raw-marshal                html
    go-raw-encoder                html
    go-marshal-indent             html
    ruby-generate                 1e21
    ruby-generate                 1e-7
    ruby-rails                    html
    ruby-generate-script-safe     html
    ruby-generate-script-safe     line separators
    ruby-inspect                  nulls
    ruby-pretty-generate          empty
    java-jackson                  1e21
    java-jackson                  1e-7
    java-jackson                  1.5e300
    java-gson                     html
    java-gson-map                 zero
    java-gson-plain               nulls
    java-gson-pretty              nulls
    csharp-text-json              accents
    csharp-text-json              html
    csharp-newtonsoft             1e-7
    csharp-newtonsoft             instants
    python-dumps                  accents
    python-dumps-unicode          accents
    python-dumps-compact          accents
    python-dumps-sorted           order
    python-dumps-compact-unicode  1e-7
    python-dumps-indent-2         accents
    python-str                    nulls
    js-indent-2                   accents
    js-twice                      accents
    js-string                     accents
"""
ACCENTS = TEXTS["accents"]


def mac(content: str | bytes, key: str = SECRET, hash_: str = "sha256") -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return hmac.digest(key.encode(), data, hash_)


def body_of(text: str) -> str:
    return f'{{"payload":{text}{REST},"signature":"{mac(text).hex()}"}}'


def real_output(serialiser: str, name: str) -> str:
    entry = next(each for each in TABLE["texts"] if each["name"] == name)
    found = [each["text"] for each in entry["outputs"] if serialiser in each["by"].split()]
    return str(found[0])


def wrong_digests() -> Iterator[tuple[str, str, str]]:
    """Yield the mistake, the payload text, and what the receiver computes."""
    for line in SERIALISED.strip().splitlines():
        serialiser, name = line.strip().split(maxsplit=1)
        yield serialiser, TEXTS[name], mac(real_output(serialiser, name)).hex()
    others = {
        "mojibake": mac(ACCENTS.encode().decode("latin-1")).hex(),
        "newline-hashed": mac(f"{ACCENTS}\n").hex(),
        "secret-with-newline": mac(ACCENTS, f"{SECRET}\n").hex(),
        "secret-with-space": mac(ACCENTS, f"{SECRET} ").hex(),
        "secret-not-expanded": mac(ACCENTS, "$LEANBE_SECRET").hex(),
        "key-and-message-swapped": mac(SECRET, ACCENTS).hex(),
        "other-hash": mac(ACCENTS, hash_="sha1").hex(),
        "base64": base64.b64encode(mac(ACCENTS)).decode(),
        "raw-body-hashed": mac(body_of(ACCENTS)).hex(),
        "plain-sha256": hashlib.sha256((ACCENTS + SECRET).encode()).hexdigest(),
        "no-payload-hashed": mac("undefined").hex(),
    }
    for name, digits in others.items():
        yield name, ACCENTS, digits
    yield "other-hash", ACCENTS, mac(ACCENTS, hash_="sha512").hex()
    yield "no-payload-hashed", ACCENTS, mac("").hex()


WRONG = [*wrong_digests()]


def test_there_are_as_many_as_in_the_trial() -> None:
    assert len(WRONG) == 59


@pytest.mark.parametrize("to_language", [False, True])
def test_all_59_are_named(*, to_language: bool) -> None:
    unnamed = []
    for name, text, digits in WRONG:
        lang = LANGUAGES.get(name.split("-", maxsplit=1)[0]) if to_language else None
        found = explain(body_of(text).encode(), SECRET, got=digits, lang=lang)
        if found.verdict is not Verdict.MISTAKE_FOUND or len(found.mistakes) != 1:
            unnamed.append((name, text, found.summary))
            continue
        (mistake,) = found.mistakes
        # Serialisers that write the same bytes cannot be told apart, unless the language is known.
        if lang is not None:
            assert lang in {*mistake.mistake.languages}, (name, text)
        elif name.split("-", maxsplit=1)[0] not in LANGUAGES:
            assert mistake.mistake.name == name
    assert unnamed == []


LANGUAGES = {
    "php": "php",
    "go": "go",
    "ruby": "ruby",
    "java": "java",
    "csharp": "csharp",
    "python": "python",
    "js": "javascript",
}


def test_the_right_digits_are_no_mistake_in_any_payload() -> None:
    for name in TEXTS.keys() - {"negative zero", "large fractions"}:  # Leanbe writes them otherwise
        text = TEXTS[name]
        found = explain(body_of(text).encode(), SECRET, got=mac(text).hex())
        assert found.summary.startswith("The receiver computes the right signature"), name

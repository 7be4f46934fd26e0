"""Each mistake is named from the digits that it gives, which are worked out here independently."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.received_request import ReceivedRequest

SECRET = "whsec_" + "5e" * 32
TEXT = '{"title":"Nachtmodus für Zoë 🌙","b":[1,2],"a":{"small":1e-7}}'
PAYLOAD = json.loads(TEXT)
REST = ',"event":"idea.created","triggeredAt":"2026-11-24T12:00:00.000Z"'


def digest(key: str | bytes, content: str | bytes) -> str:
    key, content = (x.encode() if isinstance(x, str) else x for x in (key, content))
    return hmac.new(key, content, "sha256").hexdigest()


RIGHT = digest(SECRET, TEXT)
BODY = f'{{"payload":{TEXT}{REST},"signature":"{RIGHT}"}}'


def dumps(**options: Any) -> str:
    return json.dumps(PAYLOAD, **options)


def explained(got: str | None, body: str = BODY, secret: str = SECRET) -> Explanation:
    return explain(body.encode(), secret, got=got)


def names(explanation: Explanation) -> list[str]:
    return [candidate.mistake.name for candidate in explanation.mistakes]


CASES = {
    "raw-body-hashed": [digest(SECRET, BODY)],
    "envelope-without-signature-hashed": [digest(SECRET, f'{{"payload":{TEXT}{REST}}}')],
    "envelope-in-part-hashed": [
        digest(SECRET, f'{{"payload":{TEXT}}}'),
        digest(SECRET, f'{{"payload":{TEXT},"event":"idea.created"}}'),
        digest(SECRET, f'{{"event":"idea.created","payload":{TEXT}}}'),
    ],
    # Node.js keeps the low byte of each UTF-16 unit: of the moon's two, 0x3c and 0x19.
    "latin1-encoded": [digest(SECRET, TEXT.replace("🌙", "\x3c\x19").encode("latin-1"))],
    "python-dumps": [digest(SECRET, dumps())],
    "python-dumps-unicode": [digest(SECRET, dumps(ensure_ascii=False))],
    "python-dumps-compact": [digest(SECRET, dumps(separators=(",", ":")))],
    "python-dumps-sorted": [digest(SECRET, dumps(sort_keys=True))],
    "python-dumps-indent-4-unicode": [digest(SECRET, dumps(indent=4, ensure_ascii=False))],
    "python-dumps-compact-unicode": [
        digest(SECRET, '{"title":"Nachtmodus für Zoë 🌙","b":[1,2],"a":{"small":1e-07}}')
    ],
    "mojibake": [digest(SECRET, TEXT.encode().decode("latin-1"))],
    "letters-lost": [digest(SECRET, TEXT.encode("ascii", "replace"))],
    "newline-hashed": [digest(SECRET, TEXT + "\n")],
    "js-twice": [digest(SECRET, '"' + TEXT.replace('"', '\\"') + '"')],
    "js-string": [digest(SECRET, "[object Object]")],
    "no-payload-hashed": [digest(SECRET, "undefined"), digest(SECRET, "")],
    "plain-sha256": [
        hashlib.sha256((TEXT + SECRET).encode()).hexdigest(),
        hashlib.sha256((SECRET + TEXT).encode()).hexdigest(),
    ],
    "key-and-message-swapped": [digest(TEXT, SECRET)],
    "hash-without-secret": [hashlib.sha256(TEXT.encode()).hexdigest()],
    "secret-with-space": [digest(SECRET + " ", TEXT), digest(" " + SECRET, TEXT)],
    "secret-not-expanded": [digest("$LEANBE_SECRET", TEXT), digest("${WEBHOOK_SECRET}", TEXT)],
    "secret-with-newline": [digest(SECRET + "\n", TEXT), digest(SECRET + "\r\n", TEXT)],
    "secret-in-quotes": [digest(f'"{SECRET}"', TEXT), digest(f"'{SECRET}'", TEXT)],
    "secret-without-prefix": [digest("5e" * 32, TEXT)],
    "secret-missing": [digest("", TEXT), digest("undefined", TEXT), digest("None", TEXT)],
    "upper-case": [RIGHT.upper()],
    "base64": [
        base64.b64encode(bytes.fromhex(RIGHT)).decode(),
        base64.urlsafe_b64encode(bytes.fromhex(RIGHT)).decode(),
        base64.urlsafe_b64encode(bytes.fromhex(RIGHT)).decode().rstrip("="),
    ],
    "base64-of-hex": [base64.b64encode(RIGHT.encode()).decode()],
    "separated": ["-".join(re.findall("..", RIGHT)).upper()],
    "zeros-lost": ["".join(f"{byte:x}" for byte in bytes.fromhex(RIGHT))],
    "prefixed": [f"sha256={RIGHT}"],
    "header-expected": ["", "undefined", "null", "None", RIGHT],
}


@pytest.mark.parametrize(
    ("name", "got"),
    [(name, got) for name, several in CASES.items() for got in several],
    ids=[f"{name}-{at}" for name, several in CASES.items() for at in range(len(several))],
)
def test_the_digest_that_a_receiver_computed_names_its_mistake(name: str, got: str) -> None:
    explanation = explained(f" {got}\n")
    assert (explanation.verdict, names(explanation)) == (Verdict.MISTAKE_FOUND, [name])
    assert explanation.explained


def test_a_text_that_is_ascii_hides_in_which_encoding_it_is_hashed() -> None:
    text = '{"title":"Night mode"}'
    listed = names(
        explained(None, body=BODY.replace(TEXT, text).replace(RIGHT, digest(SECRET, text)))
    )
    assert "raw-body-hashed" in listed
    assert "latin1-encoded" not in listed


def test_a_whole_envelope_that_was_written_again_is_named() -> None:
    pretty = json.dumps(json.loads(BODY), indent=2, ensure_ascii=False).replace("1e-07", "1e-7")
    assert names(explained(digest(SECRET, BODY), body=pretty)) == ["whole-envelope-hashed"]
    assert names(explained(digest(SECRET, pretty), body=pretty)) == ["raw-body-hashed"]


def test_a_secret_decoded_from_hex_is_named() -> None:
    secret = "5e" * 32
    body = BODY.replace(RIGHT, digest(secret, TEXT))
    got = digest(bytes.fromhex(secret), TEXT)
    assert names(explained(got, body=body, secret=secret)) == ["secret-hex-decoded"]


@pytest.mark.parametrize("secret", [" s3cret", "s3cret\n", '"s3cret"', "'s3cret' "])
def test_a_trimmed_secret_is_named(secret: str) -> None:
    body = BODY.replace(RIGHT, digest(secret, TEXT))
    got = digest("s3cret", TEXT)
    assert names(explained(got, body=body, secret=secret)) == ["secret-trimmed"]


def test_another_secret_is_named_by_its_label() -> None:
    others = [("the secret of Acme", "whsec_acme"), ("the secret before the rotation", "old")]
    explanation = explain(BODY.encode(), SECRET, got=digest("old", TEXT), other_secrets=others)
    assert names(explanation) == ["other-secret"]
    assert "the secret before the rotation" in explanation.mistakes[0].what


def test_two_mistakes_at_once_are_both_named() -> None:
    got = base64.b64encode(bytes.fromhex(digest(SECRET, BODY))).decode()
    assert names(explained(got)) == ["raw-body-hashed", "base64"]
    assert names(explained(digest(SECRET, dumps()).upper())) == ["python-dumps", "upper-case"]
    assert names(explained(digest(SECRET + "\n", dumps()))) == [
        "python-dumps",
        "secret-with-newline",
    ]
    joined = hashlib.sha256((dumps() + SECRET).encode()).hexdigest()
    assert names(explained(joined)) == ["python-dumps", "plain-sha256"]
    sha1 = hmac.new((SECRET + "\n").encode(), TEXT.encode(), "sha1").hexdigest()
    assert names(explained(sha1)) == ["secret-with-newline", "other-hash"]


def test_it_is_said_honestly_that_no_mistake_fits() -> None:
    explanation = explained("a" * 64)
    assert (explanation.verdict, explanation.mistakes) == (Verdict.NONE_FITS, ())
    assert not explanation.explained
    assert hashlib.sha256(TEXT.encode()).hexdigest() in explanation.hint
    assert f"{len(TEXT.encode())} bytes" in explanation.hint
    assert "Check the receiver's secret first" in explanation.hint
    assert "a text of 3 characters" in explained("abc").hint


@pytest.mark.parametrize(("name", "said"), [("sha1", "SHA-1"), ("sha512", "SHA-512")])
def test_a_digest_of_another_hash_is_named(name: str, said: str) -> None:
    got = hmac.new(SECRET.encode(), TEXT.encode(), name).hexdigest()
    explanation = explained(got)
    assert names(explanation) == ["other-hash"]
    assert f"the digest with {said}" in explanation.mistakes[0].what
    unknown = "".join(reversed(got))
    assert f"characters, the length of {said}: use SHA-256" in explained(unknown).hint
    assert said not in explained("z" * len(got)).hint


def test_for_a_sound_body_the_usual_mistakes_are_listed_raw_body_first() -> None:
    explanation = explained(None)
    assert (explanation.verdict, explanation.explained) == (Verdict.BODY_SOUND, False)
    listed: dict[str, set[str]] = {}
    for each in explanation.mistakes:
        listed.setdefault(each.mistake.name, set()).update(each.signatures)
    assert next(iter(listed)) == "raw-body-hashed"
    for name in set(CASES) - {"header-expected"}:
        assert set(CASES[name]) <= listed[name], name
    assert listed["header-expected"] == set()


def test_no_digits_are_listed_twice() -> None:
    listed = [digits for each in explained(None).mistakes for digits in each.signatures]
    assert len(listed) == len(set(listed))
    assert "whole-envelope-hashed" not in names(explained(None))  # of this body, the raw text


def test_a_mistake_that_does_not_show_in_a_body_is_not_listed_for_it() -> None:
    text = '{"a":1}'
    body = f'{{"payload":{text}{REST},"signature":"{digest(SECRET, text)}"}}'
    listed = names(explained(None, body=body))
    assert "python-dumps-compact" not in listed
    assert "php-objects" not in listed
    assert all(
        digest(SECRET, text) not in candidate.signatures
        for candidate in explained(None, body=body).mistakes
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (BODY.replace("signature", "sign"), "no member 'signature'"),
        (BODY.replace(RIGHT, RIGHT.upper()), "in upper case"),
        (BODY.replace(RIGHT, "a"), "is not 64"),
        (BODY.replace("Nachtmodus", "Nachtmode"), "does not fit the payload"),
    ],
)
@pytest.mark.parametrize("got", [None, "undefined", "a" * 64])
def test_a_fault_of_the_body_itself_is_said_first(body: str, reason: str, got: str | None) -> None:
    explanation = explained(got, body=body)
    assert (explanation.verdict, explanation.explained) == (Verdict.BODY_UNSOUND, True)
    assert reason in explanation.summary
    assert explanation.hint


@pytest.mark.parametrize(
    ("signature", "cause"),
    [
        (digest("whsec_acme", TEXT), "other-secret"),
        (hashlib.sha256((TEXT + SECRET).encode()).hexdigest(), "plain-sha256"),
        (digest(SECRET, f'{{"payload":{TEXT}{REST}}}'), "envelope-without-signature-hashed"),
        (RIGHT.upper(), "upper-case"),
    ],
)
def test_how_a_body_was_signed_instead_is_told_where_it_is_known(
    signature: str, cause: str
) -> None:
    body = BODY.replace(RIGHT, signature).encode()
    explanation = explain(body, SECRET, other_secrets=[("the secret of Acme", "whsec_acme")])
    assert (explanation.verdict, names(explanation)) == (Verdict.BODY_UNSOUND, [cause])


def test_a_receiver_that_rightly_refuses_an_altered_body_is_told_so() -> None:
    altered = BODY.replace("Nachtmodus", "Nachtmode")
    got = digest(SECRET, TEXT.replace("Nachtmodus", "Nachtmode"))
    explanation = explained(got, body=altered)
    assert explanation.verdict is Verdict.BODY_UNSOUND
    assert "computes the right signature" in explanation.summary


def plain(text: str, secret: str) -> str:
    return f'{{"payload":{text}{REST},"signature":"{digest(secret, text)}"}}'


@pytest.mark.parametrize("text", ['{"title":"Dark mode","upvotes":0}', TEXT])
@pytest.mark.parametrize(
    ("signer", "causes", "hint"),
    [
        ("whsec_old", ["other-secret"], "The receiver is right"),
        ("whsec_unknown", [], "A secret that is not known here signed it"),
    ],
)
def test_a_receiver_that_has_the_present_secret_is_told_that_another_one_signed(
    text: str, signer: str, causes: list[str], hint: str
) -> None:
    explanation = explain(
        plain(text, signer).encode(),
        SECRET,
        got=digest(SECRET, text),
        other_secrets=[("an old secret of this product", "whsec_old")],
    )
    assert (explanation.verdict, names(explanation)) == (Verdict.BODY_UNSOUND, causes)
    assert "The receiver computes the right signature for this secret" in explanation.summary
    assert explanation.hint.startswith(hint)


def test_a_mistake_is_named_for_an_altered_body_too() -> None:
    altered = BODY.replace("Nachtmodus", "Nachtmode")
    explanation = explained(digest(SECRET, altered), body=altered)
    assert (explanation.verdict, names(explanation)) == (Verdict.MISTAKE_FOUND, ["raw-body-hashed"])
    assert "does not fit the payload" in explanation.hint


def test_without_a_secret_nothing_can_be_explained() -> None:
    with pytest.raises(InvalidValue, match="secret is empty"):
        explained(None, secret="")


def test_numbers_that_python_cannot_read_leave_the_other_mistakes() -> None:
    text = f"[{'9' * 5_000},null]"
    body = f'{{"payload":{text}{REST},"signature":"{digest(SECRET, "[null,null]")}"}}'
    listed = names(explained(None, body=body))
    assert listed[0] == "raw-body-hashed"
    assert "python-dumps" not in listed
    assert "plain-sha256" in listed


def test_an_explanation_does_not_show_the_secret_when_printed() -> None:
    for got in (None, "a" * 64, digest(SECRET, BODY)):
        assert SECRET not in repr(explained(got))
    assert SECRET not in repr(ReceivedRequest.of(BODY.encode(), SECRET))


def test_every_mistake_has_a_sentence_and_a_repair_of_one_line_in_every_language() -> None:
    for candidate in explained(None).mistakes:
        assert candidate.what.startswith("You ")
        assert candidate.what.endswith(".")
        for language in Language:
            assert candidate.fixes[language]
            assert "\n" not in candidate.fixes[language]


def test_the_python_repair_of_what_is_hashed_computes_the_signature() -> None:
    (mistake,) = explained(digest(SECRET, BODY)).mistakes
    given = {"secret": SECRET, "raw": BODY.encode()}
    assert eval(mistake.fixes[Language.PYTHON], {"hmac": hmac}, given) == RIGHT  # noqa: S307 - it is our own line


ASCII = '{"a":1e-7,"b":[1,2]}'


def test_a_mistake_is_told_only_by_what_differs() -> None:
    compact = explained(digest(SECRET, '{"a":1e-07,"b":[1,2]}'), body=plain(ASCII, SECRET))
    (mistake,) = compact.mistakes
    assert "which writes 1e-7 as 1e-07." in mistake.what
    assert "\\u" not in mistake.what


def test_bytes_that_several_languages_write_are_told_of_all() -> None:
    text = '{"a":"é"}'
    (mistake,) = explained(digest(SECRET, '{"a":"\\u00e9"}'), body=plain(text, SECRET)).mistakes
    assert mistake.what == (
        'You hash json.dumps(payload, separators=(",", ":")), which writes é as \\u00e9. Hash the '
        "payload's text as it came. The same bytes come from json_encode($body->payload) (PHP), "
        "JSON.generate(payload, ascii_only: true) (Ruby)."
    )
    assert mistake.languages == (Language.PYTHON, Language.PHP, Language.RUBY)


@pytest.mark.parametrize(
    ("lang", "name"),
    [("php", "php-objects"), ("ruby", "ruby-generate-ascii"), ("go", "python-dumps-compact")],
)
def test_the_receivers_language_chooses_the_mistake_and_the_repair(lang: str, name: str) -> None:
    body = plain('{"a":"é"}', SECRET).encode()
    explanation = explain(body, SECRET, got=digest(SECRET, '{"a":"\\u00e9"}'), lang=lang)
    assert names(explanation) == [name]
    assert explanation.mistakes[0].languages == (Language(lang),)
    document = explanation.mistakes[0].document()
    assert (document["language"], document["fix"]) == (
        lang,
        explanation.mistakes[0].fixes[Language(lang)],
    )


def test_a_language_leaves_out_what_nobody_does_in_it() -> None:
    listed = names(explain(BODY.encode(), SECRET, lang="typescript"))
    assert {"js-twice", "raw-body-hashed", "secret-missing"} <= set(listed)
    assert not [each for each in listed if each.startswith(("php", "python", "go", "java-"))]


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidValue, match="'perl'") as refused:
        explain(BODY.encode(), SECRET, lang="perl")
    assert "php" in refused.value.hint


def test_an_indented_body_gets_repairs_that_need_no_slice() -> None:
    pretty = json.dumps(json.loads(BODY), indent=2, ensure_ascii=False).replace("1e-07", "1e-7")
    (mistake,) = explained(digest(SECRET, pretty), body=pretty).mistakes
    assert "rindex" not in mistake.fixes[Language.PYTHON]
    assert "lastIndexOf" not in mistake.fixes[Language.JAVA]


def hashed(content: bytes, got: str | None = None) -> Explanation:
    return explain(BODY.encode(), SECRET, hashed=content, got=got)


def test_a_hashed_text_names_its_mistake_and_the_first_difference() -> None:
    explanation = hashed(dumps().encode())
    assert (explanation.verdict, names(explanation)) == (Verdict.MISTAKE_FOUND, ["python-dumps"])
    difference = explanation.difference
    assert difference is not None
    assert (difference.offset, difference.expected_length) == (9, len(TEXT.encode()))
    assert difference.expected.startswith(b'{"title":"Nacht')
    assert difference.found.startswith(b'{"title": "Nacht')
    shown = explanation.document()["difference"]
    assert shown["found"]["hex"].startswith("7b 22 74")
    assert shown["found"]["length"] == len(dumps().encode())


def test_a_hashed_text_that_no_mistake_gives_is_compared_all_the_same() -> None:
    explanation = hashed(TEXT.replace("Nachtmodus", "Nachtmode").encode())
    assert (explanation.verdict, explanation.explained) == (Verdict.TEXT_DIFFERS, True)
    assert explanation.difference is not None
    assert explanation.difference.offset == TEXT.index("us für")
    cut = hashed(TEXT.encode()[:-1]).difference
    assert cut is not None
    assert cut.offset == len(TEXT.encode()) - 1


def test_a_receiver_that_hashes_the_right_text_looks_at_its_secret() -> None:
    explanation = hashed(TEXT.encode())
    assert (explanation.verdict, explanation.explained) == (Verdict.TEXT_RIGHT, False)
    assert explanation.difference is None
    assert "secret" in explanation.hint
    named = hashed(TEXT.encode(), digest(SECRET + "\n", TEXT))
    assert names(named) == ["secret-with-newline"]


def answered(answer: str) -> Explanation:
    return explain(BODY.encode(), SECRET, answer=answer.encode())


@pytest.mark.parametrize(
    "answer",
    [
        '{{"error":"bad signature","computed":"{0}"}}',
        "expected {right}, got {0}",
        "<p>{0} != {right}</p>",
        "{unknown} {0}",
        "{upper}",
        '{{"computed":"{slashed}"}}',
    ],
)
def test_a_signature_in_an_answer_is_explained_by_itself(answer: str) -> None:
    got = digest(SECRET, dumps())
    encoded = base64.b64encode(bytes.fromhex(got)).decode()
    explanation = answered(
        answer.format(
            got,
            right=RIGHT,
            unknown="a" * 64,
            upper=got.upper(),
            slashed=encoded.replace("/", "\\/"),
        )
    )
    assert explanation.verdict is Verdict.MISTAKE_FOUND
    assert names(explanation)[0] == "python-dumps"
    assert "answered with the signature" in explanation.summary


@pytest.mark.parametrize(
    "answer", ["", "bad signature", RIGHT, "a" * 63, f"x{'a' * 64}", "\xff" * 64]
)
def test_an_answer_without_a_wrong_signature_leaves_the_list(answer: str) -> None:
    explanation = answered(answer)
    assert explanation.verdict is Verdict.BODY_SOUND
    assert explanation.summary == "The body verifies with this secret."


def test_a_signature_in_an_answer_that_nothing_gives_is_told() -> None:
    explanation = answered(f"computed {'b' * 64}")
    assert explanation.verdict is Verdict.BODY_SOUND
    assert "b" * 64 in explanation.summary


def test_an_answer_with_the_right_signature_clears_the_receiver() -> None:
    body = plain(TEXT, "whsec_old").encode()
    explanation = explain(body, SECRET, answer=f"computed {RIGHT}".encode())
    assert explanation.verdict is Verdict.BODY_UNSOUND
    assert "The receiver computes the right signature" in explanation.summary


def test_a_given_signature_counts_more_than_an_answer() -> None:
    explanation = explain(
        BODY.encode(), SECRET, got=digest(SECRET, BODY), answer=digest(SECRET, dumps()).encode()
    )
    assert names(explanation) == ["raw-body-hashed"]


def test_a_long_payload_costs_no_more_than_the_limit() -> None:
    text = json.dumps({"a": ["é" * 100] * 2_000}, ensure_ascii=False, separators=(",", ":"))
    body = plain(text, SECRET)
    explanation = explained("a" * 64, body=body)
    assert explanation.verdict is Verdict.NONE_FITS
    assert "not every serialiser was tried" in explanation.hint
    assert names(explained(digest(SECRET, body), body=body)) == ["raw-body-hashed"]
    assert names(explained(digest(SECRET + "\n", text), body=body)) == ["secret-with-newline"]


@given(st.binary(), st.none() | st.text())
def test_any_body_and_any_digits_are_explained_somehow(body: bytes, got: str | None) -> None:
    assert explain(body, SECRET, got=got).verdict is Verdict.BODY_UNSOUND


@given(st.text())
def test_any_digits_are_explained_somehow(got: str) -> None:
    assert explained(got).verdict in {Verdict.MISTAKE_FOUND, Verdict.NONE_FITS}


def test_an_explanation_as_json_says_all_that_it_is() -> None:
    explanation = explained(None)
    first = explanation.mistakes[0]
    assert {**explanation.document(), "mistakes": []} == {
        "verdict": "body-sound",
        "summary": explanation.summary,
        "hint": explanation.hint,
        "mistakes": [],
        "difference": None,
        "probe": None,
    }
    assert explanation.hint != explanation.summary
    assert first.document() == {
        "name": first.mistake.name,
        "what": first.what,
        "signatures": [*first.signatures],
        "language": "javascript",
        "fix": first.fixes[Language.JAVASCRIPT],
        "javascript": first.fixes[Language.JAVASCRIPT],
        "python": first.fixes[Language.PYTHON],
    }
